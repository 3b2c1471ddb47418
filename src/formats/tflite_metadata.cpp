#include "formats/tflite_metadata.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include "base/enum_names.h"
#include "base/fail.h"
#include "formats/model_file.h"
#include "formats/tflite_metadata_generated.h"
#include "mobilenet/version.h"

namespace mobilenet {
namespace {

constexpr std::string_view kPadding = "padding";

// Builds the tables of one model's metadata.
class MetadataWriter {
 public:
  explicit MetadataWriter(const Model& model) : model_(model) {}

  std::vector<std::uint8_t> Write(bool takes_pixels) {
    const std::vector inputs = {Input(takes_pixels)};
    const std::vector outputs = {Output()};
    const std::vector subgraphs = {
        tflite::CreateSubGraphMetadataDirect(builder_, nullptr, nullptr, &inputs, &outputs)};
    const std::string title = TitleOf(model_.network);
    // The first version of the format has all that stands here.
    builder_.Finish(tflite::CreateModelMetadataDirect(builder_, title.c_str(),
                                                      "Written by mobilenet.cpp " MOBILENET_VERSION, nullptr,
                                                      &subgraphs, nullptr, nullptr, OrNone(files_), "1.0.0"),
                    tflite::ModelMetadataIdentifier());
    return {builder_.GetBufferPointer(), builder_.GetBufferPointer() + builder_.GetSize()};
  }

 private:
  using Values = std::vector<float>;
  using Files = std::vector<flatbuffers::Offset<tflite::AssociatedFile>>;

  static const Files* OrNone(const Files& files) { return files.empty() ? nullptr : &files; }

  // The numbers of how many channels are told: one stands for all where they are alike, since MediaPipe has
  // no other normalisation.
  [[nodiscard]] std::size_t Told(const Preprocessing& p) const {
    const auto alike = [](const std::array<float, 3>& n) { return n[0] == n[1] && n[1] == n[2]; };
    return model_.network.input.channels == 1 || (alike(p.mean) && alike(p.scale)) ? 1 : 3;
  }

  flatbuffers::Offset<tflite::TensorMetadata> Input(bool takes_pixels) {
    const bool rgb = model_.network.input.channels == 3;
    const Preprocessing raw = PreprocessingPreset("raw");
    const Preprocessing& p = takes_pixels ? raw : model_.preprocessing;
    const std::vector units = {Normalisation(p)};
    const auto content = tflite::CreateContent(
        builder_, tflite::ContentProperties_ImageProperties,
        tflite::CreateImageProperties(builder_, static_cast<std::int8_t>(rgb ? 1 : 2)).Union());
    return tflite::CreateTensorMetadataDirect(builder_, "image", InputText(rgb).c_str(), nullptr, content,
                                              &units, Extremes(p));
  }

  [[nodiscard]] std::string InputText(bool rgb) const {
    const Shape& shape = model_.network.input;
    const Preprocessing& p = model_.preprocessing;
    return Concat(shape.width, " x ", shape.height, rgb ? " pixels of RGB" : " grey pixels", ", of ", p.crop,
                  " of the picture's ",
                  p.shape == CropShape::kSquare ? "shorter side, a square" : "sides, stretched",
                  ", resized by the filter ", NameOf(p.filter));
  }

  // (pixel - mean) / std, where ours multiplies.
  flatbuffers::Offset<tflite::ProcessUnit> Normalisation(const Preprocessing& p) {
    const Values mean(p.mean.begin(), p.mean.begin() + static_cast<std::ptrdiff_t>(Told(p)));
    Values deviation;
    for (const float scale : std::span(p.scale).first(Told(p))) deviation.push_back(1 / scale);
    const auto options = tflite::CreateNormalizationOptionsDirect(builder_, &mean, &deviation);
    return tflite::CreateProcessUnit(builder_, tflite::ProcessUnitOptions_NormalizationOptions,
                                     options.Union());
  }

  // What the network may see.
  flatbuffers::Offset<tflite::Stats> Extremes(const Preprocessing& p) {
    Values most;
    Values least;
    for (std::size_t c = 0; c < Told(p); ++c) {
      const auto [low, high] = std::minmax({(0 - p.mean[c]) * p.scale[c], (255 - p.mean[c]) * p.scale[c]});
      least.push_back(low);
      most.push_back(high);
    }
    return tflite::CreateStatsDirect(builder_, &most, &least);
  }

  flatbuffers::Offset<tflite::TensorMetadata> Output() {
    const auto content = tflite::CreateContent(builder_, tflite::ContentProperties_FeatureProperties,
                                               tflite::CreateFeatureProperties(builder_).Union());
    if (!HasClassifier(model_.network))
      return tflite::CreateTensorMetadataDirect(builder_, "feature", "What the network sees", nullptr,
                                                content);
    const Values zero = {0};
    const Values one = {1};
    const Files labels = Labels();
    return tflite::CreateTensorMetadataDirect(builder_, "probability", OutputText(), nullptr, content,
                                              nullptr, tflite::CreateStatsDirect(builder_, &one, &zero),
                                              OrNone(labels));
  }

  [[nodiscard]] bool TellsTwoApart() const { return model_.network.classes() != model_.classes(); }

  [[nodiscard]] const char* OutputText() const {
    if (TellsTwoApart()) return "The probability of the second class; the first has the rest";
    return model_.answers == Answers::kSoftmax ? "Of each class, adding to 1" : "Of each label by itself";
  }

  // Those of the output, of which there must be one for each number: two classes of one belong to the model.
  Files Labels() {
    constexpr std::int8_t kOfLastAxis = 2;
    if (model_.labels.empty()) return {};
    const std::string name(kTfliteLabels);
    if (!TellsTwoApart())
      return {
          tflite::CreateAssociatedFileDirect(builder_, name.c_str(), "A line for each class", kOfLastAxis)};
    files_ = {tflite::CreateAssociatedFileDirect(builder_, name.c_str(), "The first class and the second")};
    return {};
  }

  const Model& model_;
  flatbuffers::FlatBufferBuilder builder_;
  Files files_;  // of the whole model
};

// What follows our prefix in the entry's name, where it is a text of ours: each is copied, so no other is.
std::string_view KeyOf(const tflite::Metadata& entry) {
  constexpr std::array<std::string_view, 4> kKeys = {kPadding, "answers", "preprocessing", "provenance"};
  const std::string_view name = entry.name() == nullptr ? "" : entry.name()->string_view();
  if (!name.starts_with(kDescriptionPrefix)) return "";
  const auto* const key = std::ranges::find(kKeys, name.substr(kDescriptionPrefix.size()));
  return key == kKeys.end() ? "" : *key;
}

std::string TextAt(std::uint32_t buffer, const tflite::Model& file) {
  if (file.buffers() == nullptr || buffer >= file.buffers()->size()) return "";
  const auto* data = file.buffers()->Get(buffer)->data();
  return data == nullptr ? "" : std::string(data->begin(), data->end());
}

// The metadata that Android's tools read, where it holds together; null otherwise.
const tflite::ModelMetadata* MetadataIn(const tflite::Model& file) {
  if (file.metadata() == nullptr || file.buffers() == nullptr) return nullptr;
  for (const tflite::Metadata* entry : *file.metadata()) {
    if (entry->name() == nullptr || entry->name()->string_view() != "TFLITE_METADATA") continue;
    if (entry->buffer() >= file.buffers()->size()) return nullptr;
    const auto* data = file.buffers()->Get(entry->buffer())->data();
    if (data == nullptr) return nullptr;
    flatbuffers::Verifier verifier(data->data(), data->size());
    return tflite::VerifyModelMetadataBuffer(verifier) ? tflite::GetModelMetadata(data->data()) : nullptr;
  }
  return nullptr;
}

template <typename Table>  // with associated_files()
void AddTexts(const Table& table, std::vector<std::string>& names) {
  if (table.associated_files() == nullptr) return;
  for (const tflite::AssociatedFile* file : *table.associated_files()) {
    if (file->name() != nullptr && file->name()->string_view().ends_with(".txt"))
      names.push_back(file->name()->str());
  }
}

}  // namespace

std::vector<std::uint8_t> TfliteMetadataOf(const Model& model, bool takes_pixels) {
  return MetadataWriter(model).Write(takes_pixels);
}

// Labels have a file of their own.
std::map<std::string, std::string> TfliteEntriesOf(const Model& model, const std::string& path) {
  std::map<std::string, std::string> entries;
  for (auto& [key, value] : DescriptionOf(model, path)) {
    if (key != "labels") entries[Concat(kDescriptionPrefix, key)] = std::move(value);
  }
  if (const auto recipe = RecipeOf(model.network)) {
    const PaddingStyle style = std::visit([](const auto& options) { return options.padding; }, *recipe);
    entries[Concat(kDescriptionPrefix, kPadding)] = NameOf(style);
  }
  return entries;
}

Safetensors TfliteDescription(const tflite::Model& file, std::string_view name) {
  Safetensors ours;
  ours.name = name;
  if (file.metadata() == nullptr) return ours;
  for (const tflite::Metadata* entry : *file.metadata()) {
    const std::string_view key = KeyOf(*entry);
    if (!key.empty()) ours.metadata.try_emplace(std::string(key), TextAt(entry->buffer(), file));
  }
  return ours;
}

std::vector<std::string> TfliteTexts(const tflite::Model& file) {
  std::vector<std::string> names;
  const tflite::ModelMetadata* metadata = MetadataIn(file);
  if (metadata == nullptr) return names;
  AddTexts(*metadata, names);
  if (metadata->subgraphs() == nullptr) return names;
  for (const tflite::SubGraphMetadata* subgraph : *metadata->subgraphs()) {
    if (subgraph->outputs() == nullptr) continue;
    for (const tflite::TensorMetadata* output : *subgraph->outputs()) AddTexts(*output, names);
  }
  return names;
}

std::optional<PaddingStyle> TflitePadding(const Safetensors& description) {
  const auto found = description.metadata.find(std::string(kPadding));
  if (found == description.metadata.end()) return std::nullopt;
  const auto style = FromName<PaddingStyle>(found->second);
  if (!style)
    Fail(description.name, ": its metadata has the padding ", found->second, ", which there is not");
  return style;
}

}  // namespace mobilenet
