// Running a network: an immutable Plan, shared by any number of Runners.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/export.h"
#include "mobilenet/network.h"
#include "mobilenet/tensor.h"

namespace mobilenet {

struct PlanOptions {
  // The instruction set: one of AvailableTargets(); empty takes the fastest that this machine has.
  std::string_view target = {};
  // kFloat32. kBfloat16: weights that mix channels are rounded to it, and so are the values that they
  // multiply where the target has an instruction for that; sums and feature maps stay float32. kFloat16: the
  // same in half precision, with sums of up to 128 products in it too, for targets with its arithmetic
  // ("avx512fp16", "neonfp16") and there for layers whose sums can't leave its range, which ReLU6 before them
  // bounds; all else is computed in float32. Nothing: whichever of these is fastest on this machine, which is
  // measured once in a process.
  std::optional<Precision> precision = Precision::kFloat32;
  // kLeast where feature maps must take as little memory as they can: several times less, for a few per cent
  // more time.
  MemoryUse memory = MemoryUse::kFast;
};

// The instruction sets that this machine can run, fastest first: some of "avx512fp16", "avx512bf16",
// "avx512", "avx2", "sse4", "neonfp16", "neonbf16", "neon", "portable".
MOBILENET_EXPORT std::vector<std::string_view> AvailableTargets();

// What happens in one go: a layer, with the depthwise one before it and the sum behind it where they are
// fused.
struct StepInfo {
  std::string name;  // of the layer; "block3" for one with a depthwise layer before it
  std::string kind;  // as NameOf calls the layer's kind; "separable" with a depthwise layer before it; and
                     // " + add" where a sum is the end
  Shape output;
  std::int64_t macs = 0;
};

// A network made ready to run: batch norms folded, weights packed for the instruction set, layers fused into
// steps, and a place for every feature map. Immutable; copies are cheap and share everything; safe to use
// from any number of threads. It keeps nothing of the weights that it was made from.
class MOBILENET_EXPORT Plan {
 public:
  // Throws Error where the weights don't fit the network (as CheckWeights does), the target is not
  // available, the precision is kInt8, or memory runs out.
  Plan(const Network& network, const Weights& weights, const PlanOptions& options = {});

  [[nodiscard]] const Shape& input() const;
  [[nodiscard]] const Shape& output() const;
  [[nodiscard]] std::string_view target() const;
  [[nodiscard]] Precision precision() const;       // kFloat32 where kFloat16 was asked for in vain
  [[nodiscard]] std::size_t weight_bytes() const;  // packed weights and biases
  // Feature maps of a Runner of one thread; each further thread keeps rows of its own of the maps that run
  // depth first.
  [[nodiscard]] std::size_t activation_bytes() const;
  [[nodiscard]] const std::vector<StepInfo>& steps() const;

 private:
  friend class Runner;
  struct State;
  static std::shared_ptr<const State> Make(const Network& network, const Weights& weights,
                                           const PlanOptions& options);
  std::shared_ptr<const State> state_;
};

struct RunnerOptions {
  int threads = 1;  // 1 to 256, the caller's own among them
};

// Runs a Plan. Owns the memory for feature maps and, where it has more than one thread, the threads. It
// belongs to one thread at a time; make one for each thread that runs networks at once.
//
// A process that was forked has the Runner but not its threads: there the first Run starts new ones (and so
// allocates) or, where the system refuses them, does all the work on the caller's. Don't fork while it runs.
class MOBILENET_EXPORT Runner {
 public:
  // Allocates everything that it will ever need. Throws Error for a number of threads out of range or
  // refused, and where memory runs out.
  explicit Runner(const Plan& plan, const RunnerOptions& options = {});
  ~Runner();
  Runner(Runner&&) noexcept;
  Runner& operator=(Runner&&) noexcept;

  // One image: `input` is plan.input().size() floats (NHWC, preprocessed), `logits` plan.output().size().
  // A NaN in the input is one in every logit that it counts for.
  // Allocates nothing, takes no lock, throws nothing. Returns false, and touches nothing, where a length is
  // wrong.
  [[nodiscard]] bool Run(std::span<const float> input, std::span<float> logits) noexcept;

  // The same, and the seconds that each of plan.steps() took; `seconds` has one place for each.
  [[nodiscard]] bool RunTimed(std::span<const float> input, std::span<float> logits,
                              std::span<double> seconds) noexcept;

  [[nodiscard]] int threads() const;

 private:
  struct State;
  static std::unique_ptr<State> Make(const Plan& plan, const RunnerOptions& options);
  std::unique_ptr<State> state_;
};

// Turns logits into probabilities in place: exp(x) / sum of exp.
MOBILENET_EXPORT void Softmax(std::span<float> logits);

}  // namespace mobilenet
