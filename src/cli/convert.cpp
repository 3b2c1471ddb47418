// mobilenet convert: any format that we read to one that we write.
#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "base/enum_names.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/signature.h"
#include "cli/command.h"
#include "cli/network_options.h"
#include "cli/photos_option.h"
#include "cli/preprocessing_options.h"
#include "cli/published_model.h"
#include "report/answers.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct ConvertArguments {
  std::string input;
  bool offline = false;
  std::string output;
  std::string labels;
  std::string answers;
  PreprocessingArguments preprocessing;
  std::string precision = "float32";
  std::string calibrate;
  std::string photos;
  bool json = false;
  int threads = 1;
  std::optional<Resolution> resolution;
  bool with_preprocessing = false;
  std::string names = "ours";
};

// Weights don't depend on the resolution: the same ones run at any.
void SetResolution(Resolution resolution, Model& model) {
  model.network = WithResolution(model.network, resolution);
  model.provenance["resolution"] = "set by convert --resolution";
}

// Whether all pictures could be read.
bool CalibrateWith(const std::string& data, int threads, bool json, Model& model) {
  const std::vector<Sample> samples = LoadSamples(data, model);
  Progress progress(samples.size(), "photos");
  Calibration found = InContext(data, [&] {
    return Calibrate(model, samples, {.threads = threads}, [&](const FileResult& file) {
      progress.Clear();
      if (!file.error.empty()) PrintError(file.error);
      progress.Advance();
    });
  });
  progress.Clear();
  if (!json) fmt::print("{}\n", CalibrationText(found));
  found.model.provenance["calibrated"] = CalibrationNote(found);
  model = std::move(found.model);
  if (found.failed > 0)
    PrintError(
        fmt::format("{} of {} photos could not be read and are left out", found.failed, samples.size()));
  return found.failed == 0;
}

// What OUT's name asks for.
void CheckOutput(const ConvertArguments& options) {
  const bool ours = FormatOf(options.output) == ModelFormat::kOurs;
  if (!ours && options.precision != "float32")
    throw Error(options.output + ": ONNX and TFLite are written in float32 alone, not in " +
                options.precision);
  if (ours && options.with_preprocessing)
    throw Error(
        options.output +
        ": --with-preprocessing is for ONNX and TFLite; our own files hold the preprocessing in any case");
  if (options.names == "ours") return CheckModelOut(options.output);
  if (!ours || options.precision != "float32")
    throw Error(options.output + ": timm's names are for safetensors in float32 alone");
  CheckReplaceable(options.output, "a model of this program with timm's names",
                   std::bind_front(LooksLikeSafetensorsWith, "mobilenet.architecture"));
}

void WriteOurs(const ConvertArguments& options, Model& model) {
  if (options.names == "timm") return SaveTimm(model, options.output);
  const Precision precision = *PrecisionOf(options.precision);
  if (precision != Precision::kFloat32)
    model.provenance["weights"] = fmt::format("rounded to {} by convert", NameOf(precision));
  model.Save(options.output, precision);
}

// MediaPipe's tools have one mean and one scale for all channels ("Per-channel image normalization is not
// available").
void WarnOfChannels(const ConvertArguments& options, const Model& model) {
  const auto alike = [](const std::array<float, 3>& n) { return n[0] == n[1] && n[1] == n[2]; };
  const Preprocessing& p = model.preprocessing;
  if (options.with_preprocessing || model.network.input.channels == 1 || (alike(p.mean) && alike(p.scale)))
    return;
  PrintError(
      options.output +
      ": normalises each channel by numbers of its own, which MediaPipe's tools refuse; --with-preprocessing "
      "lets the file do it itself");
}

void Write(const ConvertArguments& options, Model& model) {
  switch (FormatOf(options.output)) {
    case ModelFormat::kOnnx:
      return SaveOnnx(model, options.output, {.preprocessing = options.with_preprocessing});
    case ModelFormat::kTflite:
      WarnOfChannels(options, model);
      return SaveTflite(model, options.output, {.preprocessing = options.with_preprocessing});
    case ModelFormat::kOurs:
      return WriteOurs(options, model);
  }
}

nlohmann::ordered_json Written(const std::string& path, const Model& model,
                               const nlohmann::ordered_json& found) {
  nlohmann::ordered_json json = CaptionJson(model.network);
  json.update({{"out", path},
               {"file_bytes", std::filesystem::file_size(path)},
               {"preprocessing", PreprocessingJson(model.preprocessing)},
               {"provenance", model.provenance}});
  if (!found.is_null()) json.update(found);
  return json;
}

void Run(const ConvertArguments& options, int& status) {
  if (!options.calibrate.empty() && SamePlace(options.calibrate, options.output))
    throw Error(options.output + ": is to be both the photos and the model: give it another name");
  if (!options.photos.empty() && SamePlace(options.photos, options.output))
    throw Error(options.output + ": is to be both the photos and the model: give it another name");
  if (!options.labels.empty() && SamePlace(options.labels, options.output))
    throw Error(options.output + ": is to be both the labels and the model: give it another name");
  CheckOutput(options);
  Model model = LoadModel(options.input, options.offline);
  if (!options.answers.empty()) {
    model.answers = *FromName<Answers>(options.answers);
    model.provenance["answers"] = "set by convert --answers " + options.answers;
  }
  if (!options.labels.empty()) {
    model.labels = LoadLabels(options.labels, model.classes());
    model.provenance["labels"] = "set by convert --labels";
  }
  SetPreprocessing(options.preprocessing, model);
  if (options.resolution) SetResolution(*options.resolution, model);
  nlohmann::ordered_json json;
  if (!options.photos.empty())
    json["photos"] = FindByPhotos(options.photos, options.threads, options.json, model, status);
  if (!options.calibrate.empty() && !CalibrateWith(options.calibrate, options.threads, options.json, model))
    status = kFailure;
  Write(options, model);
  if (options.json) return PrintJson(Written(options.output, model, json));
  fmt::print("{}: {}, {}, {}, preprocessing {}\n", Printable(options.output), TitleOf(model.network),
             Counted(model.classes(), "class", "classes"),
             Bytes(static_cast<double>(std::filesystem::file_size(options.output))),
             SummaryOf(model.preprocessing));
  const auto padding = model.provenance.find("padding");
  if (padding != model.provenance.end() && padding->second.find("assumed") != std::string::npos)
    fmt::print("padding: {}\n", Printable(padding->second));
}

}  // namespace

void AddConvert(CLI::App& program, int& status) {
  auto options = std::make_shared<ConvertArguments>();
  CLI::App* command = program.add_subcommand(
      "convert", "Turn a model file of any format we read into our own, into ONNX or into TFLite");
  command
      ->add_option("input", options->input,
                   "Model file: safetensors, .pth, .h5, .keras, model.json, .tflite or .onnx; or published "
                   "weights by name (`mobilenet get` lists them)")
      ->required()
      ->type_name("IN");
  AddOffline(*command, options->offline, "the model");
  AddModelOut(*command, "output", options->output, true)->type_name("OUT");
  command->add_flag(
      "--with-preprocessing", options->with_preprocessing,
      "Let OUT.onnx or OUT.tflite take RGB pixels from 0 to 255: its first operators normalise them");
  command
      ->add_option(
          "--labels", options->labels,
          "A file with a label in each line, to put into OUT; of a network of 1000 classes the labels are "
          "taken for ImageNet's otherwise")
      ->type_name("FILE");
  command
      ->add_option(
          "--answers", options->answers,
          "What the outputs mean, where the file doesn't tell: softmax (one of the classes is right) "
          "or sigmoid (each label by itself; one output tells two classes apart)")
      ->check(CLI::IsMember(NamesOf<Answers>()))
      ->type_name("NAME");
  AddPreprocessing(*command, options->preprocessing);
  RequireText(command->add_option(
                  "--photos", options->photos,
                  "Find the preprocessing out instead, from a few dozen photos with labels, as eval takes "
                  "them: tries normalisations, orders of channels, crops and filters, and keeps the best"))
      ->type_name("DIR|LIST")
      ->excludes(command->get_option("--preprocess"), command->get_option("--mean"),
                 command->get_option("--scale"), command->get_option("--order"),
                 command->get_option("--crop"), command->get_option("--shape"),
                 command->get_option("--filter"));
  AddResolution(*command, options->resolution)
      ->description("Run the network at this many pixels a side, or height x width, instead");
  command
      ->add_option("--precision", options->precision,
                   "float32, or bfloat16 or float16: the weights that mix channels in half the space")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}))
      ->type_name("P")
      ->capture_default_str();
  command
      ->add_option(
          "--names", options->names,
          "Of the tensors in OUT.safetensors: ours, or timm's, in PyTorch's layouts, for its create_model")
      ->check(CLI::IsMember({"ours", "timm"}))
      ->type_name("N")
      ->capture_default_str();
  RequireText(
      command->add_option(
          "--calibrate", options->calibrate,
          "Photos that the model was not trained on, as eval takes them: divide the classifier's weights "
          "so that probabilities tell how often answers are right"))
      ->type_name("DIR|LIST.tsv");
  AddThreads(*command, options->threads)
      ->description("Threads that photos are run on, from 1 to 256; by default one for each processor");
  command->add_flag("--json", options->json, "One JSON object: what was written, and what --photos tried");
  command->footer(
      "Example: Keras weights and labels of your own in one file\n"
      "  mobilenet convert mobilenet_1_0_224_tf.h5 v1.safetensors --labels labels.txt\n"
      "Weights that Keras trained on pictures of flow_from_directory, with rescale=1/255\n"
      "  mobilenet convert cats.h5 cats.safetensors --preprocess unit --crop 1 --filter nearest\n"
      "Numbers of your own\n"
      "  mobilenet convert cats.h5 cats.safetensors --mean 125.3,123,113.9 --scale 1/63,1/62.1,1/66.7\n"
      "For ONNX Runtime and others, from pixels to logits\n"
      "  mobilenet convert flowers.safetensors flowers.onnx --with-preprocessing\n"
      "For phones: TensorFlow Lite with its labels, as Android's and MediaPipe's tools read it\n"
      "  mobilenet convert flowers.safetensors flowers.tflite\n"
      "For PyTorch: timm's names for the weights of its own MobileNets\n"
      "  mobilenet convert flowers.safetensors mobilenetv2_100.safetensors --names timm\n"
      "What a network was trained on, by photos whose classes are known\n"
      "  mobilenet convert cats.h5 cats.safetensors --labels labels.txt --photos photos\n"
      "Probabilities that can be trusted, by photos that were held out\n"
      "  mobilenet convert flowers.safetensors calibrated.safetensors --calibrate flowers.run/split.tsv");
  command->callback([options, command, &status] {
    if (command->get_option("--threads")->count() > 0 && options->photos.empty() &&
        options->calibrate.empty())
      throw CLI::ValidationError("--threads counts for nothing without --photos or --calibrate");
    Run(*options, status);
  });
}

}  // namespace mobilenet::cli
