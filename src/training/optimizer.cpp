#include "training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mobilenet {
namespace {

bool Decays(Role role, Decay decay) {
  switch (role) {
    case Role::kWeight:
      return true;
    case Role::kDepthwise:
      return decay != Decay::kMixing;
    case Role::kNorm:
      return decay == Decay::kAll;
    default:
      return false;
  }
}

// Pieces of work for the threads: sums over them are added up in order, whatever thread made them.
constexpr std::size_t kPiece = std::size_t{1} << 16;

template <typename Work>
void ForPieces(ThreadPool& pool, std::size_t size, const Work& work) {
  const int pieces = static_cast<int>((size + kPiece - 1) / kPiece);
  pool.Run(pieces, [&](int piece, int) {
    const std::size_t begin = static_cast<std::size_t>(piece) * kPiece;
    work(static_cast<std::size_t>(piece), begin, std::min(begin + kPiece, size));
  });
}

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, const WeightLayout& layout, ThreadPool& pool)
    : options_(options), layout_(layout), pool_(pool) {
  if (options.kind != OptimizerKind::kSgd || options.momentum > 0) velocity_.resize(layout.size());
  if (options.kind != OptimizerKind::kSgd) squares_.resize(layout.size());
  norms_.resize((layout.size() + kPiece - 1) / kPiece);
}

double Optimizer::Norm(std::span<const float> gradient) {
  ForPieces(pool_, gradient.size(), [&](std::size_t piece, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += double{gradient[i]} * gradient[i];
    norms_[piece] = sum;
  });
  double sum = 0;
  for (const double norm : norms_) sum += norm;
  return std::sqrt(sum);
}

double Optimizer::Step(double learning_rate, std::span<const float> gradient, std::span<float> values) {
  ++steps_;
  const double norm = Norm(gradient);
  const float clip =
      options_.clip > 0 && norm > options_.clip ? static_cast<float>(options_.clip / norm) : 1.0F;
  const auto rate = static_cast<float>(learning_rate);
  const auto momentum = static_cast<float>(options_.momentum);
  const auto epsilon = static_cast<float>(options_.epsilon);
  const auto rho = static_cast<float>(options_.rho);
  // Kingma and Ba 2015, section 3: the averages begin at 0 and are divided by what they lack.
  const auto first_whole = static_cast<float>(1 - std::pow(options_.momentum, steps_));
  const auto second_whole = static_cast<float>(1 - std::pow(options_.rho, steps_));
  for (const Slot& slot : layout_.slots()) {
    if (slot.role == Role::kRunning) continue;
    const bool decays = Decays(slot.role, options_.decay);
    const auto decay = static_cast<float>(decays ? options_.weight_decay : 0);
    ForPieces(pool_, slot.size, [&](std::size_t, std::size_t begin, std::size_t end) {
      const float* g = gradient.data() + slot.offset;
      float* w = values.data() + slot.offset;
      float* v = velocity_.empty() ? nullptr : velocity_.data() + slot.offset;
      float* s = squares_.empty() ? nullptr : squares_.data() + slot.offset;
      switch (options_.kind) {
        case OptimizerKind::kSgd:  // Sutskever et al. 2013, as PyTorch writes Nesterov's momentum
          if (v == nullptr) {
            for (std::size_t i = begin; i < end; ++i) w[i] -= rate * (g[i] * clip + decay * w[i]);
            break;
          }
          for (std::size_t i = begin; i < end; ++i) {
            const float slope = g[i] * clip + decay * w[i];
            v[i] = momentum * v[i] + slope;
            w[i] -= rate * (slope + momentum * v[i]);
          }
          break;
        case OptimizerKind::kRmsprop:  // Tieleman and Hinton 2012, with momentum on the scaled gradient
          for (std::size_t i = begin; i < end; ++i) {
            const float slope = g[i] * clip + decay * w[i];
            s[i] = rho * s[i] + (1 - rho) * slope * slope;
            v[i] = momentum * v[i] + slope / (std::sqrt(s[i]) + epsilon);
            w[i] -= rate * v[i];
          }
          break;
        case OptimizerKind::kAdamw:  // Loshchilov and Hutter 2019, algorithm 2
          for (std::size_t i = begin; i < end; ++i) {
            const float slope = g[i] * clip;
            v[i] = momentum * v[i] + (1 - momentum) * slope;
            s[i] = rho * s[i] + (1 - rho) * slope * slope;
            w[i] -= rate * decay * w[i];
            w[i] -= rate * (v[i] / first_whole) / (std::sqrt(s[i] / second_whole) + epsilon);
          }
          break;
      }
    });
  }
  return norm;
}

double LearningRate(Schedule schedule, double peak, double warmup, std::int64_t step, std::int64_t steps) {
  const double share =
      (static_cast<double>(step) + 0.5) / static_cast<double>(std::max<std::int64_t>(steps, 1));
  const auto cosine = [](double from, double to, double at) {
    return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(at, 0.0, 1.0)));
  };
  const double begin = schedule == Schedule::kOneCycle ? 0.3 : warmup;
  if (share < begin) {
    // Smith and Topin 2019: one cycle begins at a 25th of its peak.
    return schedule == Schedule::kOneCycle ? cosine(peak / 25, peak, share / begin) : peak * share / begin;
  }
  const double at = begin < 1 ? (share - begin) / (1 - begin) : 1;
  switch (schedule) {
    case Schedule::kCosine:  // Loshchilov and Hutter 2017, without restarts
    case Schedule::kOneCycle:
      return cosine(peak, 0, at);
    case Schedule::kExponential:  // to a hundredth, by the same factor each step
      return peak * std::pow(0.01, at);
  }
  return peak;
}

void Average(double decay, std::int64_t step, std::span<const float> values, std::span<float> average,
             ThreadPool& pool) {
  const double early = static_cast<double>(1 + step) / static_cast<double>(10 + step);
  const auto rate = static_cast<float>(1 - std::min(decay, early));
  ForPieces(pool, values.size(), [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) average[i] += rate * (values[i] - average[i]);
  });
}

}  // namespace mobilenet
