// What `--html` writes.
#pragma once

#include <string>
#include <vector>

#include "mobilenet/cost.h"
#include "mobilenet/fit.h"
#include "mobilenet/network.h"
#include "mobilenet/paper.h"
#include "report/html.h"

namespace mobilenet {

// `command` is shown as the way to make the page again.
Page CostPage(const Network& network, const Cost& cost, Precision precision, const std::string& command);
Page FitPage(const FitResult& result, const FitOptions& options, const std::string& processor,
             const std::string& command);
Page PaperPage(const Paper& paper, const std::string& command);

// "v1-0.5-160", "2.31 ms", "1.20 mJ", "~62.5 %" (interpolated): as `fit` shows them on terminals and pages
// alike.
std::string NetworkName(const Recipe& recipe);
std::string Milliseconds(double ms);
std::string Millijoules(double mj);
std::string AccuracyText(const Accuracy& accuracy);
// "by TF-Slim", "between those by TF-Slim".
std::string SourceText(const Accuracy& accuracy);
// "no network meets the limits: the nearest, v1-0.25-128, has a latency of 0.21 ms, allowed 0.1 ms", for a
// result without choices.
std::string MissText(const FitResult& result);
// "112x112x64".
std::string ShapeName(const Shape& shape);

}  // namespace mobilenet
