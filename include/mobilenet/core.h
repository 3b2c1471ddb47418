// Everything that libmobilenet-core has: networks, their cost, our model files, and running them.
#pragma once

#include "mobilenet/benchmark.h"
#include "mobilenet/cost.h"
#include "mobilenet/energy.h"
#include "mobilenet/error.h"
#include "mobilenet/export.h"
#include "mobilenet/fit.h"
#include "mobilenet/model.h"
#include "mobilenet/network.h"
#include "mobilenet/paper.h"
#include "mobilenet/preprocessing.h"
#include "mobilenet/runtime.h"
#include "mobilenet/tensor.h"
#include "mobilenet/version.h"
