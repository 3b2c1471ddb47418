// What the tables of all papers are made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mobilenet/network.h"
#include "mobilenet/paper.h"

namespace mobilenet {

// A number, rounded to as many digits as the paper prints.
PaperCell Number(std::string paper, double ours, std::string note = "");

double Millions(std::int64_t count);

// How V1's and V2's papers count parameters: without biases and batch norms.
constexpr const char* kWeightsAlone = "weights alone";
std::int64_t WeightsOf(const Network& network);

// "7 x 7 x 1024"
std::string Size(const Shape& shape);

// "mult-adds, M" and "parameters, M".
std::vector<std::string> NetworkColumns();

// The layers of a block, whose names are the same up to a point, or one that is in none.
using Part = std::span<const Layer>;
// In their order, in `network`.
std::vector<Part> PartsOf(const Network& network);

Paper PaperOfV1();
Paper PaperOfV2();
Paper PaperOfV3();
Paper PaperOfV4();

}  // namespace mobilenet
