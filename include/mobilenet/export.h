// What a shared library shows of itself; all else is hidden.
#pragma once

#define MOBILENET_EXPORT __attribute__((visibility("default")))
