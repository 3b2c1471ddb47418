// What the sub-commands share. Each lives in a file of its own, adds itself to the program and runs when
// parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mobilenet/mobilenet.h"
#include "report/html.h"

namespace mobilenet::cli {

// Exit codes of the program.
constexpr int kSuccess = 0;
constexpr int kFailure = 1;
constexpr int kUsage = 2;
constexpr int kStopped = 130;  // by Ctrl-C, as shells say it

// `status` is what the program exits with when nothing was thrown; commands set it to kFailure where a part
// of their work failed.
void AddClassify(CLI::App& program, int& status);
void AddEval(CLI::App& program, int& status);
void AddEmbed(CLI::App& program, int& status);
void AddSimilar(CLI::App& program, int& status);
void AddInfo(CLI::App& program);
void AddConvert(CLI::App& program, int& status);
void AddBench(CLI::App& program);
void AddCost(CLI::App& program);
void AddPaper(CLI::App& program);
void AddFit(CLI::App& program, int& status);
void AddGet(CLI::App& program);
void AddTrain(CLI::App& program, int& status);

// --threads, from 1 to 256; by default as many as there are processors.
CLI::Option* AddThreads(CLI::App& command, int& threads);

// --classes, from 1 to `most`.
CLI::Option* AddClasses(CLI::App& command, int& classes, int most = 1'000'000);

// Refuses an empty value of the option, which it returns.
CLI::Option* RequireText(CLI::Option* option);

// --html; empty until given. Once the page is written, its name is printed unless `quiet`.
CLI::Option* AddHtml(CLI::App& command, std::string& path);
void WritePage(const Page& page, const std::string& path, bool quiet);

// --precision of what is run: float32, bfloat16, float16, or auto (nothing), for whichever is fastest here.
CLI::Option* AddPrecision(CLI::App& command, std::string& precision);
std::optional<Precision> PrecisionOf(const std::string& name);

// --max-pixels: the most that a picture may have.
CLI::Option* AddMaxPixels(CLI::App& command, std::size_t& pixels);

// --memory of a plan: fast or least.
CLI::Option* AddMemory(CLI::App& command, MemoryUse& memory);

// Says on standard error that the preprocessing of the model in `path` was guessed, where that is doubtful:
// below 90 %. One in ten such guesses is wrong then, and costs points of accuracy that nothing else shows; of
// published weights nearly all are told with more.
void WarnOfGuess(const Model& model, const std::string& path);

// --model and --offline; empty until given. ModelFrom reads it, or $MOBILENET_MODEL, as LoadModel does, or
// fails with what to do. It warns of a preprocessing that was guessed.
CLI::Option* AddModel(CLI::App& command, std::string& path, bool& offline);
Model ModelFrom(const std::string& path, bool offline);

// The formats that models are written in.
enum class ModelFormat { kOurs, kOnnx, kTflite };

// By the name's ending: .onnx, .tflite, or else our own.
ModelFormat FormatOf(const std::filesystem::path& path);

// Throws where a model can't be written to `path`, or what is there is none of the format that the name says.
void CheckModelOut(const std::filesystem::path& path);

// The model file to write, which must be given, and not be named as one of a format that isn't written; other
// formats than ours only `in_all`.
CLI::Option* AddModelOut(CLI::App& command, const std::string& name, std::string& path, bool in_all = false);

// The options that were given, but those named in `without`, as a shell would take them again: "mobilenet fit
// --latency 5ms".
std::string CommandLine(const CLI::App& command, std::initializer_list<std::string_view> without = {});

// Prints `mobilenet: ...` on standard error, as every error is. Throws nothing where that can't be written.
void PrintError(const std::string& text);

// A row of CSV on standard output; a terminal is spared characters that move its cursor.
void PrintCsv(const std::vector<std::string>& cells);

// One line of JSON on standard output. Bytes that are not UTF-8, in file names say, become U+FFFD.
void PrintJson(const nlohmann::ordered_json& value);

}  // namespace mobilenet::cli
