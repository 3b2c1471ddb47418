// mobilenet bench: how fast a network runs here, beside what this machine could do.
#include <fmt/format.h>

#include <memory>

#include "base/machine.h"
#include "cli/command.h"
#include "cli/network_options.h"
#include "cli/number.h"
#include "cli/published_model.h"
#include "mobilenet/training.h"
#include "report/pages.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct BenchArguments {
  std::string model;
  bool offline = false;
  NetworkArguments network;
  std::string target;
  std::string precision = "float32";
  MemoryUse memory = MemoryUse::kFast;
  BenchmarkOptions measure;
  bool layers = false;
  bool train = false;
  bool json = false;
};

struct Subject {
  Network network;
  Weights weights;
};

Subject SubjectOf(const BenchArguments& options) {
  if (options.model.empty()) {
    Network network = Build(RecipeFrom(options.network));
    Weights weights = RandomWeights(network, 1);
    return {std::move(network), std::move(weights)};
  }
  Model model = LoadModel(options.model, options.offline);
  return {std::move(model.network), std::move(model.weights)};
}

// What the counters measured, or else the estimate.
Energy EnergyOf(const Network& network, const Plan& plan, const BenchmarkResult& result) {
  if (result.energy_mj) return {*result.energy_mj, EnergySource::kMeasured};
  return EstimateEnergy(network, plan.precision());
}

// The step's own share of the peak.
double ShareOf(const StepInfo& step, double ms, const BenchmarkResult& result) {
  return ms > 0 ? 2.0 * static_cast<double>(step.macs) / (1e6 * ms) / result.peak_gflops : 0;
}

void PrintBenchJson(const BenchArguments& options, const Network& network, const Plan& plan,
                    const BenchmarkResult& result) {
  const Cost cost = CostOf(network);
  const Energy energy = EnergyOf(network, plan, result);
  nlohmann::ordered_json json = {{"median_ms", result.median_ms},
                                 {"p95_ms", result.p95_ms},
                                 {"min_ms", result.min_ms},
                                 {"runs", result.runs},
                                 {"batch", options.measure.batch},
                                 {"images_per_second", 1e3 / result.median_ms},
                                 {"gflops", result.gflops},
                                 {"peak_gflops", result.peak_gflops},
                                 {"peak_share", result.peak_share},
                                 {"energy_mj", energy.millijoules},
                                 {"energy_source", NameOf(energy.source)},
                                 {"peak_memory_bytes", PeakMemory()},
                                 {"weight_bytes", plan.weight_bytes()},
                                 {"activation_bytes", plan.activation_bytes()},
                                 {"memory", NameOf(options.memory)},
                                 {"threads", options.measure.threads},
                                 {"target", plan.target()},
                                 {"precision", NameOf(plan.precision())},
                                 {"processor", ProcessorName()},
                                 {"params", cost.params},
                                 {"macs", cost.macs}};
  json.update(CaptionJson(network));
  if (options.layers) {
    auto& layers = json["layers"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < plan.steps().size(); ++i) {
      const StepInfo& step = plan.steps()[i];
      layers.push_back({{"name", step.name},
                        {"kind", step.kind},
                        {"macs", step.macs},
                        {"median_ms", result.step_ms[i]},
                        {"peak_share", ShareOf(step, result.step_ms[i], result)}});
    }
  }
  PrintJson(json);
}

void PrintLayers(const Plan& plan, const BenchmarkResult& result) {
  Table table({"step", "kind", "output", ">mult-adds", ">ms", ">of the time", ">of the peak"});
  double total = 0;
  for (const double ms : result.step_ms) total += ms;
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    const StepInfo& step = plan.steps()[i];
    table.Add({step.name, step.kind,
               fmt::format("{}x{}x{}", step.output.height, step.output.width, step.output.channels),
               Count(static_cast<double>(step.macs)), fmt::format("{:.3f}", result.step_ms[i]),
               fmt::format("{:.1f} %", 100 * result.step_ms[i] / total),
               fmt::format("{:.0f} %", 100 * ShareOf(step, result.step_ms[i], result))});
  }
  fmt::print("\n{}", table.Text());
}

void PrintBenchText(const BenchArguments& options, const Network& network, const Plan& plan,
                    const BenchmarkResult& result) {
  const Cost cost = CostOf(network);
  fmt::print("{}: {} mult-adds, {} parameters\n", TitleOf(network), Count(static_cast<double>(cost.macs)),
             Count(static_cast<double>(cost.params)));
  fmt::print("{}, {}, {}, {}\n\n", ProcessorName(), plan.target(), NameOf(plan.precision()),
             Counted(options.measure.threads, "thread"));
  if (options.measure.batch > 1) {
    fmt::print("batches of    {}\nthroughput    {:.0f} images a second\n", options.measure.batch,
               1e3 / result.median_ms);
  }
  fmt::print("median        {:.3f} ms{} of {} runs\n", result.median_ms,
             options.measure.batch > 1 ? " an image" : "", result.runs);
  fmt::print("95 % below    {:.3f} ms\n", result.p95_ms);
  fmt::print("speed         {:.1f} GFLOP/s, {:.0f} % of the measured {}peak of {:.1f}\n", result.gflops,
             100 * result.peak_share, plan.precision() == Precision::kFloat32 ? "" : "float32 ",
             result.peak_gflops);
  const Energy energy = EnergyOf(network, plan, result);
  fmt::print("energy        {} an image, {}\n", Millijoules(energy.millijoules),
             energy.source == EnergySource::kMeasured
                 ? "measured: all that the processor drew"
                 : "estimated from operations and bytes: no counters here that can be read");
  fmt::print("memory        {} at most: {} of weights, {} of feature maps, the rest the program\n",
             Bytes(static_cast<double>(PeakMemory())), Bytes(static_cast<double>(plan.weight_bytes())),
             Bytes(static_cast<double>(plan.activation_bytes())));
  if (options.layers) PrintLayers(plan, result);
}

// A step of training instead of a run.
void RunTraining(const BenchArguments& options) {
  const Subject subject = SubjectOf(options);
  const Network& network = subject.network;
  const TrainingBenchmark result = MeasureTraining(network, {.batch = options.measure.batch,
                                                             .threads = options.measure.threads,
                                                             .precision = PrecisionOf(options.precision),
                                                             .seconds = options.measure.seconds});
  if (options.json) {
    nlohmann::ordered_json json = {{"precision", NameOf(result.precision)},
                                   {"step_ms", result.step_ms},
                                   {"steps", result.steps},
                                   {"batch", options.measure.batch},
                                   {"images_per_second", result.images_per_second},
                                   {"gflops", result.gflops},
                                   {"peak_gflops", result.peak_gflops},
                                   {"peak_share", result.peak_share},
                                   {"pointwise_peak_share", result.pointwise_share},
                                   {"memory_bytes", result.memory_bytes},
                                   {"peak_memory_bytes", PeakMemory()},
                                   {"threads", options.measure.threads},
                                   {"processor", ProcessorName()},
                                   {"macs", CostOf(network).macs}};
    json.update(CaptionJson(network));
    return PrintJson(json);
  }
  fmt::print("Training {}, batches of {}\n{}, {}, {}\n\n", TitleOf(network), options.measure.batch,
             ProcessorName(), NameOf(result.precision), Counted(options.measure.threads, "thread"));
  fmt::print("step          {:.1f} ms, median of {}\n", result.step_ms, result.steps);
  fmt::print("throughput    {:.0f} images a second\n", result.images_per_second);
  fmt::print(
      "speed         {:.1f} GFLOP/s, {:.0f} % of the measured float32 peak of {:.1f}; pointwise layers "
      "{:.0f} %\n",
      result.gflops, 100 * result.peak_share, result.peak_gflops, 100 * result.pointwise_share);
  fmt::print("memory        {} of maps, gradients and buffers, {} in all\n",
             Bytes(static_cast<double>(result.memory_bytes)), Bytes(static_cast<double>(PeakMemory())));
}

void Run(const BenchArguments& options) {
  if (options.train) return RunTraining(options);
  const Subject subject = SubjectOf(options);
  const Plan plan(
      subject.network, subject.weights,
      {.target = options.target, .precision = PrecisionOf(options.precision), .memory = options.memory});
  const std::optional<Precision> wanted = PrecisionOf(options.precision);
  if (wanted && *wanted != plan.precision()) {
    PrintError(fmt::format("{} is not multiplied fast here: {} is measured", NameOf(*wanted),
                           NameOf(plan.precision())));
  }
  const BenchmarkResult result = RunBenchmark(plan, options.measure);
  (options.json ? PrintBenchJson : PrintBenchText)(options, subject.network, plan, result);
}

}  // namespace

void AddBench(CLI::App& program) {
  auto options = std::make_shared<BenchArguments>();
  CLI::App* command = program.add_subcommand("bench", "Measure speed and memory on this machine");
  CLI::Option* model = AddModel(*command, options->model, options->offline);
  model->description("Model file; without one, a network of random weights is built");
  AddVersion(*command, options->network);
  AddResolution(*command, options->network.resolution);
  AddComparisons(*command, options->network);
  for (const char* name : {"--version", "--alpha", "--widths", "--resolution", "--standard", "--shallow"})
    command->get_option(name)->excludes(model);
  AddNumber(*command, "--threads", options->measure.threads, "Threads, from 1 to 256", {1, 256});
  CLI::Option* batch = AddNumber(*command, "--batch", options->measure.batch,
                                 "Images at a time, each on one thread, for throughput; 1 measures "
                                 "the latency of one on all threads",
                                 {1, 4096});
  AddNumber(*command, "--seconds", options->measure.seconds, "How long to measure")->type_name("S");
  CLI::Option* target = command
                            ->add_option("--target", options->target,
                                         "Instruction set; by default the fastest that this machine has")
                            ->type_name("NAME");
  AddPrecision(*command, options->precision);
  CLI::Option* memory = AddMemory(*command, options->memory);
  CLI::Option* layers =
      command->add_flag("--layers", options->layers, "A line for each step of the plan")->excludes(batch);
  command
      ->add_flag("--train", options->train, "Training steps on batches of --batch pictures instead of runs")
      ->needs(batch)
      ->excludes(layers)
      ->excludes(memory)
      ->excludes(target);
  command->add_flag("--json", options->json, "One JSON object");
  command->footer(
      "Example: half the width, a smaller picture, two threads\n"
      "  mobilenet bench --alpha 0.5 --resolution 160 --threads 2 --layers\n"
      "Another version, in the precision that is fastest here\n"
      "  mobilenet bench --version v3-large --precision auto");
  command->callback([options] { Run(*options); });
}

}  // namespace mobilenet::cli
