// What a training's figures say about it, in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mobilenet/training.h"

namespace mobilenet {

// Whether the loss has risen in the last of these epochs as it does where the learning rate is too high, in
// words; empty: it has not.
std::string RemarkOnRise(const std::vector<EpochRecord>& epochs);

// Whether the two sides of the split are told apart much better or worse than each other, once all is
// trained, in words; empty: they are not, or `steps` are too few for the batch norms' running means to say
// much of the validation.
std::string RemarkOnGap(const EpochRecord& last, double validation_accuracy, std::size_t classes,
                        std::int64_t steps);

// Whether so many bytes of maps are more than what is free, in words; empty: they are not.
std::string RemarkOnMemory(std::size_t needed, std::size_t free);

}  // namespace mobilenet
