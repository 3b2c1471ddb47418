// The version of these headers. The build takes its own from here.
#pragma once

#define MOBILENET_VERSION_MAJOR 0
#define MOBILENET_VERSION_MINOR 1
#define MOBILENET_VERSION_PATCH 0
#define MOBILENET_VERSION "0.1.0"
