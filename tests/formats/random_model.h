// Models whose answers are worth comparing.
#pragma once

#include <vector>

#include "mobilenet/model.h"

namespace mobilenet {

// Of random weights, whose batch norms have random statistics.
Model RandomModel(const Recipe& recipe);

// The logits for a random input, by the book.
std::vector<float> LogitsOf(const Model& model);

// Whether `read` computes what `model` does.
void ExpectSameAnswers(const Model& read, const Model& model);

}  // namespace mobilenet
