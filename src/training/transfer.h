// Starting from a network that knows something already.
#pragma once

#include <functional>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/model.h"
#include "training/flat_weights.h"
#include "training/source.h"

namespace mobilenet {

// All but the classifier, and the classifier alone, which reads what the first yields.
Network BackboneOf(const Network& network);
Network ClassifierOf(const Network& network);

// Weights for `network`, which is `from`'s but for its resolution and its classes, named by `labels`: those
// of `from`, and for labels that it doesn't know a classifier of zeros. Returns whether every label was
// known.
bool TakeWeights(const Model& from, const Network& network, const std::vector<std::string>& labels,
                 const WeightLayout& layout, std::vector<float>& values);

// What the backbone makes of pictures, as they are seen in use. `progress` is called on this thread,
// and may throw.
Features FeaturesOf(const Network& network, const Weights& weights, const Pictures& pictures,
                    const Preprocessing& preprocessing, ThreadPool& pool,
                    const std::function<void(std::size_t done)>& progress);

}  // namespace mobilenet
