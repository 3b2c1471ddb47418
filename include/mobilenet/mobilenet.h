// Everything that libmobilenet has.
#pragma once

#include "mobilenet/activation_map.h"
#include "mobilenet/classifier.h"
#include "mobilenet/core.h"
#include "mobilenet/embed.h"
#include "mobilenet/find_preprocessing.h"
#include "mobilenet/image.h"
#include "mobilenet/interchange.h"
#include "mobilenet/published_weights.h"
#include "mobilenet/training.h"
#include "mobilenet/training_data.h"
