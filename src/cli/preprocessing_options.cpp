#include "cli/preprocessing_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/enum_names.h"
#include "cli/number.h"

namespace mobilenet::cli {
namespace {

using Channels = std::array<float, 3>;

// "0.5", or "1/127.5" for those who know a deviation.
float ParseQuotient(const std::string& name, const std::string& text) {
  const std::size_t slash = text.find('/');
  const double above = ParseNumber<double>(name, text.substr(0, slash), {});
  if (slash == std::string::npos) return static_cast<float>(above);
  const double below = ParseNumber<double>(name, text.substr(slash + 1), {});
  if (below == 0) throw CLI::ValidationError(fmt::format("{} is {}, which divides by 0", name, text));
  return static_cast<float>(above / below);
}

// One number for all channels, or three parted by commas.
Channels ParseChannels(const std::string& name, const std::string& text) {
  const auto commas = std::ranges::count(text, ',');
  if (commas != 0 && commas != 2)
    throw CLI::ValidationError(
        fmt::format("{} is {}, expected one number, or three parted by commas", name, text));
  Channels channels{};
  std::size_t begin = 0;
  for (float& channel : channels) {
    const std::size_t end = text.find(',', begin);
    channel = ParseQuotient(name, text.substr(begin, end == std::string::npos ? end : end - begin));
    if (end != std::string::npos) begin = end + 1;
  }
  return channels;
}

CLI::Option* AddChannels(CLI::App& command, const std::string& name, std::string& text,
                         std::optional<Channels>& channels, const std::string& description) {
  const auto set = [name, &text, &channels](const CLI::results_t& texts) {
    text = texts.front();
    channels = ParseChannels(name, text);
    return true;
  };
  return command.add_option(name, set, description)->type_name("X|X,X,X");
}

template <typename Enum>
CLI::Option* AddEnum(CLI::App& command, const std::string& name, std::optional<Enum>& value,
                     const std::string& description) {
  return command
      .add_option_function<std::string>(
          name, [&value](const std::string& text) { value = FromName<Enum>(text); }, description)
      ->check(CLI::IsMember(NamesOf<Enum>()))
      ->type_name("NAME");
}

// Notes what was given under a key: "set by convert --crop 1 --filter nearest".
class Note {
 public:
  template <typename T>
  void Add(const char* option, const T& value) {
    text_ += fmt::format(" {} {}", option, value);
  }
  void Write(const char* key, Model& model) const {
    if (!text_.empty()) model.provenance[key] = "set by convert" + text_;
  }

 private:
  std::string text_;
};

void SetPixels(const PreprocessingArguments& a, Model& model) {
  Preprocessing& p = model.preprocessing;
  Note note;
  if (!a.preset.empty()) {
    p = PreprocessingPreset(a.preset);
    note.Add("--preprocess", a.preset);
  }
  if (a.mean) {
    p.mean = *a.mean;
    note.Add("--mean", a.mean_text);
  }
  if (a.scale) {
    p.scale = *a.scale;
    note.Add("--scale", a.scale_text);
  }
  if (a.order) {
    p.order = *a.order;
    note.Add("--order", NameOf(*a.order));
  }
  note.Write("preprocessing", model);
}

void SetResize(const PreprocessingArguments& a, Model& model) {
  Preprocessing& p = model.preprocessing;
  Note note;
  if (a.crop) {
    p.crop = static_cast<float>(*a.crop);
    note.Add("--crop", *a.crop);
  }
  if (a.shape) {
    p.shape = *a.shape;
    note.Add("--shape", NameOf(*a.shape));
  }
  if (a.filter) {
    p.filter = *a.filter;
    note.Add("--filter", NameOf(*a.filter));
  }
  note.Write("crop and filter", model);
}

void AddPixels(CLI::App& command, PreprocessingArguments& a) {
  command
      .add_option(
          "--preprocess", a.preset,
          "What the weights were trained on, where the file doesn't tell: tensorflow (x / 127.5 - 1), "
          "pytorch, caffe, unit (x / 255) or raw (x)")
      ->check(CLI::IsMember({"tensorflow", "pytorch", "caffe", "unit", "raw"}))
      ->type_name("NAME");
  AddChannels(command, "--mean", a.mean_text, a.mean,
              "The same in numbers of your own: input = (pixel - mean) x scale, with pixels from 0 to 255; "
              "one for all channels, or three, parted by commas");
  AddChannels(command, "--scale", a.scale_text, a.scale, "And the scale; 1/58.4 is a number, too");
  AddEnum<ChannelOrder>(command, "--order", a.order, "And the order of the channels: rgb or bgr");
}

void AddResize(CLI::App& command, PreprocessingArguments& a) {
  const auto set_crop = [&a](const CLI::results_t& texts) {
    a.crop = ParseNumber<double>("--crop", texts.front(), {0, 1, true});
    return true;
  };
  command
      .add_option("--crop", set_crop, "The part of the photo that is seen, of each side: 0.875, or 1: all")
      ->type_name("X");
  AddEnum<CropShape>(command, "--shape", a.shape,
                     "Of that part: stretch (the photo's shape, squeezed into the input's) or square (the "
                     "input's shape, --crop of the shorter side)");
  AddEnum<ResizeFilter>(
      command, "--filter", a.filter,
      "How it is resized: bilinear, bicubic, lanczos or box as Pillow does, area as OpenCV, "
      "nearest as Pillow and Keras's flow_from_directory, bilinear-unaliased as "
      "tf.image.resize");
}

}  // namespace

void AddPreprocessing(CLI::App& command, PreprocessingArguments& arguments) {
  AddPixels(command, arguments);
  AddResize(command, arguments);
}

void SetPreprocessing(const PreprocessingArguments& arguments, Model& model) {
  SetPixels(arguments, model);
  SetResize(arguments, model);
  CheckPreprocessing(model.preprocessing);
}

nlohmann::ordered_json PreprocessingJson(const Preprocessing& p) {
  return {{"preset", PresetName(p)},   {"mean", p.mean}, {"scale", p.scale},
          {"order", NameOf(p.order)},  {"crop", p.crop}, {"shape", NameOf(p.shape)},
          {"filter", NameOf(p.filter)}};
}

std::string CropText(const Preprocessing& p) {
  return fmt::format("{:g} {}, {}", p.crop,
                     p.shape == CropShape::kStretch ? "of each side" : "of the short side, square",
                     NameOf(p.filter));
}

std::string SummaryOf(const Preprocessing& p) {
  const std::string_view name = PresetName(p);
  if (name != "custom") {
    const Preprocessing preset = PreprocessingPreset(name);
    if (preset.crop == p.crop && preset.shape == p.shape && preset.filter == p.filter)
      return std::string(name);
  }
  return fmt::format("{}, crop {}", name, CropText(p));
}

}  // namespace mobilenet::cli
