// Multinomial logistic regression: a classifier on features that don't change.
#pragma once

#include <functional>
#include <vector>

#include "base/thread_pool.h"
#include "mobilenet/network.h"
#include "training/source.h"

namespace mobilenet {

// A fit: the classifier's weights as WeightLayout(ClassifierOf(network)) has them, and how they were found.
struct LogisticFit {
  std::vector<float> values;
  double decay = 0;        // that was chosen
  double temperature = 1;  // that the held-out logits were divided by, folded into `values`
  double loss = 0;         // cross-entropy on the training features, before the temperature
  double accuracy = 0;     // on them
};

// The classifier with the least cross-entropy on `features` plus decay / 2 times the squares of its weights
// (biases are free). The decay is the one of a few that does best on pictures held out in turn (five folds,
// drawn by order within each class), and the temperature (Guo et al. 2017) the one that suits the answers on
// those, so that nothing else has to be held out.  `balanced`: each class counts as
// much as the others, whatever its number of pictures (ClassWeights).
// `network` is a fully connected layer by itself. `progress` is called on this thread, and may
// throw. Throws Error where features are not finite. The same features and number of threads
// give the same bits.
LogisticFit FitLogistic(const Network& network, const Features& features, bool balanced, ThreadPool& pool,
                        const std::function<void(std::size_t done, std::size_t of)>& progress);

}  // namespace mobilenet
