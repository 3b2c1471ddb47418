#include "cli/photos_option.h"

#include <fmt/format.h>

#include "base/fail.h"
#include "cli/preprocessing_options.h"
#include "report/answers.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

FoundPreprocessing FindShown(const std::string& data, int threads, const Model& model) {
  const std::vector<Sample> samples = LoadSamples(data, model, PrintError);
  Progress bar(2 * samples.size(), "photos");
  return InContext(data, [&] {
    return FindPreprocessing(model, samples, {.threads = threads}, [&](const FindPreprocessingProgress& at) {
      if (!at.error.empty()) {
        bar.Clear();
        PrintError(at.error);
      }
      bar.AdvanceTo(at.done, "");
    });
  });
}

// "tensorflow", "tensorflow, bgr": a preset whose channels were turned round has no name of its own.
std::string PixelsText(const Preprocessing& p) {
  if (PresetName(p) != "custom") return std::string(PresetName(p));
  Preprocessing turned = p;
  turned.order = p.order == ChannelOrder::kRgb ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  std::swap(turned.mean[0], turned.mean[2]);
  std::swap(turned.scale[0], turned.scale[2]);
  return fmt::format("{}, {}", PresetName(turned), NameOf(p.order));
}

std::string_view ChanceText(const FoundPreprocessing::Choice& choice) {
  return choice.within_chance ? "within chance" : "more than chance";
}

std::string MeasuredNote(const FoundPreprocessing& found) {
  const auto at = [&](std::size_t i) -> const Preprocessing& { return found.tried[i].preprocessing; };
  const TriedPreprocessing& best = found.tried[found.resize.best];
  return fmt::format(
      "measured on {}: {} right, mean log likelihood {:.3f}; pixels as {}, next is {}: the difference is {}; "
      "crop "
      "and filter {}, next is {}: the difference is {}",
      Counted(static_cast<std::size_t>(found.images), "photo"), ShareText(best.right, found.images),
      best.log_likelihood, PixelsText(at(found.pixels.best)), PixelsText(at(found.pixels.second)),
      ChanceText(found.pixels), CropText(at(found.resize.best)), CropText(at(found.resize.second)),
      ChanceText(found.resize));
}

void PrintTried(const FoundPreprocessing& found) {
  Table pixels({"pixels", ">right", ">log likelihood", ""});
  Table resizes({fmt::format("crop and filter, with {}", PixelsText(found.preprocessing())), ">right",
                 ">log likelihood", ""});
  for (const TriedPreprocessing& one : found.tried) {
    const auto i = static_cast<std::size_t>(&one - found.tried.data());
    const bool first = i < found.normalisations;
    const bool kept = i == found.pixels.best || i == found.resize.best;
    (first ? pixels : resizes)
        .Add({first ? PixelsText(one.preprocessing) : CropText(one.preprocessing),
              ShareText(one.right, found.images), fmt::format("{:.3f}", one.log_likelihood),
              kept ? "kept" : ""});
  }
  fmt::print("{}\n{}\n{}\n", pixels.Text(), resizes.Text(), MeasuredNote(found));
}

nlohmann::ordered_json ChoiceJson(const FoundPreprocessing::Choice& choice) {
  return {{"best", choice.best}, {"second", choice.second}, {"within_chance", choice.within_chance}};
}

nlohmann::ordered_json TriedJson(const FoundPreprocessing& found) {
  auto tried = nlohmann::ordered_json::array();
  for (const TriedPreprocessing& one : found.tried) {
    nlohmann::ordered_json item = PreprocessingJson(one.preprocessing);
    item["top1"] = static_cast<double>(one.right) / found.images;
    item["log_likelihood"] = one.log_likelihood;
    tried.push_back(std::move(item));
  }
  return {{"images", found.images},
          {"failed", found.failed},
          {"tried", tried},
          {"pixels", ChoiceJson(found.pixels)},
          {"resize", ChoiceJson(found.resize)}};
}

}  // namespace

nlohmann::ordered_json FindByPhotos(const std::string& data, int threads, bool json, Model& model,
                                    int& status) {
  const FoundPreprocessing found = FindShown(data, threads, model);
  if (!json) PrintTried(found);
  model.preprocessing = found.preprocessing();
  model.provenance["preprocessing"] = MeasuredNote(found);
  model.provenance.erase("crop and filter");
  if (found.failed > 0) {
    PrintError(fmt::format("{} of {} photos could not be read and are left out", found.failed,
                           found.failed + found.images));
    status = kFailure;
  }
  return TriedJson(found);
}

}  // namespace mobilenet::cli
