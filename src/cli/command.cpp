#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/enum_names.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/lower.h"
#include "base/machine.h"
#include "base/signature.h"
#include "cli/number.h"
#include "cli/published_model.h"
#include "cli/quantity.h"
#include "report/text.h"

namespace mobilenet::cli {

CLI::Option* AddThreads(CLI::App& command, int& threads) {
  threads = AvailableProcessors();
  return AddNumber(command, "--threads", threads, "Threads, from 1 to 256; by default one for each processor",
                   {1, 256})
      ->default_str("");
}

CLI::Option* AddClasses(CLI::App& command, int& classes, int most) {
  return AddNumber(command, "--classes", classes, "Classes", {1, most})->type_name("C");
}

CLI::Option* AddHtml(CLI::App& command, std::string& path) {
  return RequireText(command.add_option("--html", path,
                                        "Also write a page with drawings, which opens in any browser"))
      ->type_name("FILE");
}

void WritePage(const Page& page, const std::string& path, bool quiet) {
  page.Write(path);
  if (!quiet) fmt::print("\npage written: {}\n", Printable(path));
}

CLI::Option* AddPrecision(CLI::App& command, std::string& precision) {
  return command
      .add_option(
          "--precision", precision,
          "float32, bfloat16 (half the weights; faster where the processor multiplies it), float16 (where "
          "it multiplies that: half the weights, and faster) or auto: the fastest here")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16", "auto"}))
      ->type_name("P")
      ->capture_default_str();
}

std::optional<Precision> PrecisionOf(const std::string& name) {
  if (name == "auto") return std::nullopt;
  if (const std::optional<Precision> precision = FromName<Precision>(name)) return precision;
  Fail("the precision is ", name, ", expected float32, bfloat16, float16, int8 or auto");
}

CLI::Option* AddMaxPixels(CLI::App& command, std::size_t& pixels) {
  constexpr double kMost = 1e12;
  const auto set = [&pixels](const CLI::results_t& texts) {
    const std::optional<double> value = ParseQuantity(texts.front(), PixelUnits());
    if (!value || *value < 1 || *value > kMost)
      throw CLI::ValidationError(
          "--max-pixels",
          Concat("expected a number of pixels such as 300M or 20000000, found ", texts.front()));
    pixels = static_cast<std::size_t>(*value);
    return true;
  };
  return command
      .add_option(
          "--max-pixels", set,
          "The most pixels that a picture may have before it is refused; each takes 3 bytes of memory "
          "(by default 268M)")
      ->type_name("300M");
}

CLI::Option* AddMemory(CLI::App& command, MemoryUse& memory) {
  return command
      .add_option_function<std::string>(
          "--memory", [&memory](const std::string& name) { memory = *FromName<MemoryUse>(name); },
          "Of feature maps: what is fastest, or the least (fast or least)")
      ->check(CLI::IsMember(NamesOf<MemoryUse>()))
      ->type_name("M")
      ->default_str("fast");
}

CLI::Option* RequireText(CLI::Option* option) {
  return option->check(
      [](const std::string& text) { return text.empty() ? "expected a name, found none" : ""; });
}

CLI::Option* AddModel(CLI::App& command, std::string& path, bool& offline) {
  AddOffline(command, offline, "the model");
  return command
      .add_option("--model", path,
                  "Model file, or published weights by name (`mobilenet get` lists them); by default "
                  "$MOBILENET_MODEL")
      ->type_name("FILE|NAME");
}

void WarnOfGuess(const Model& model, const std::string& path) {
  constexpr double kDoubtful = 0.9;
  const std::optional<double> probability = model.PreprocessingProbability();
  if (!probability || *probability >= kDoubtful) return;
  PrintError(fmt::format(
      "{}: what its pixels were trained as is not in the file: {} is a guess that is right with {:.0f} %; "
      "`mobilenet convert {} OUT --photos DIR` finds it out from labelled photos, --preprocess NAME sets it",
      path, PresetName(model.preprocessing), 100 * *probability, path));
}

Model ModelFrom(const std::string& path, bool offline) {
  std::string file = path;
  if (const char* fallback = std::getenv("MOBILENET_MODEL"); file.empty() && fallback != nullptr)
    file = fallback;
  if (file.empty()) Fail("no model: name one with --model FILE, or set MOBILENET_MODEL");
  Model model = LoadModel(file, offline);
  WarnOfGuess(model, file);
  return model;
}

ModelFormat FormatOf(const std::filesystem::path& path) {
  const std::string ending = Lower(path.extension().string());
  if (ending == ".onnx") return ModelFormat::kOnnx;
  return ending == ".tflite" ? ModelFormat::kTflite : ModelFormat::kOurs;
}

void CheckModelOut(const std::filesystem::path& path) {
  switch (FormatOf(path)) {
    case ModelFormat::kOnnx:
      return CheckReplaceable(path, "an ONNX model", LooksLikeOnnx);
    case ModelFormat::kTflite:
      return CheckReplaceable(path, "a TFLite model", LooksLikeTflite);
    case ModelFormat::kOurs:
      return CheckReplaceable(path, "a model of this program",
                              std::bind_front(LooksLikeSafetensorsWith, "format_version"));
  }
}

CLI::Option* AddModelOut(CLI::App& command, const std::string& name, std::string& path, bool in_all) {
  const auto check = [in_all](const std::string& text) {
    const std::string ending = Lower(std::filesystem::path(text).extension().string());
    for (const char* other : {".h5", ".hdf5", ".keras", ".tflite", ".onnx", ".pt", ".pth", ".pb"}) {
      if (ending == other && !(in_all && FormatOf(text) != ModelFormat::kOurs))
        return Concat(text, ": models are written as safetensors", in_all ? ", ONNX or TFLite" : "",
                      ", expected a name that ends in .safetensors", in_all ? ", .onnx or .tflite" : "");
    }
    return std::string();
  };
  const char* what = in_all ? "The file to write, by its name: .onnx, .tflite or else safetensors"
                            : "The safetensors file to write";
  return RequireText(command.add_option(name, path, what))->check(check)->required()->type_name("FILE");
}

std::string CommandLine(const CLI::App& command, std::initializer_list<std::string_view> without) {
  std::string line = "mobilenet " + command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0 || std::ranges::find(without, option->get_single_name()) != without.end())
      continue;
    if (!option->get_lnames().empty()) line += " --" + option->get_lnames().front();
    if (option->get_expected_max() == 0) continue;  // a flag
    for (const std::string& value : option->results()) {
      const bool plain =
          value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:") ==
          std::string::npos;
      std::string quoted = "'";
      for (const char c : value) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      line += " " + (plain ? value : quoted + "'");
    }
  }
  return line;
}

void PrintError(const std::string& text) {
  std::fputs(fmt::format("mobilenet: {}\n", Printable(text)).c_str(), stderr);
}

void PrintCsv(const std::vector<std::string>& cells) {
  const std::string row = CsvRow(cells);
  fmt::print("{}", isatty(STDOUT_FILENO) == 1 ? WithoutMarks(row) : row);
}

void PrintJson(const nlohmann::ordered_json& value) {
  fmt::print("{}\n",
             PrintableJson(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
  std::fflush(stdout);  // whoever reads a pipe gets whole lines as they come
}

}  // namespace mobilenet::cli
