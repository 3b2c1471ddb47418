#include "report/training_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "image/encode_jpeg.h"
#include "image/shrink.h"
#include "mobilenet/cost.h"
#include "mobilenet/error.h"
#include "report/chart.h"
#include "report/text.h"

namespace mobilenet {
namespace {

constexpr std::size_t kMostInMatrix = 40;  // classes
constexpr std::size_t kMostPairs = 30;
constexpr std::size_t kMostMistakes = 24;
constexpr int kThumbnail = 128;  // pixels of the longer side

// Answers by class and by what was answered.
class Confusion {
 public:
  explicit Confusion(const TrainingResult& result)
      : classes_(result.model.labels.size()), counts_(classes_ * classes_) {
    for (std::size_t i = 0; i < result.validation.size(); ++i)
      ++counts_[static_cast<std::size_t>(result.validation[i].label) * classes_ +
                result.answers[i].predicted];
  }
  [[nodiscard]] std::size_t classes() const { return classes_; }
  [[nodiscard]] int At(std::size_t truth, std::size_t answer) const {
    return counts_[truth * classes_ + answer];
  }
  [[nodiscard]] int Truth(std::size_t truth) const {
    int sum = 0;
    for (std::size_t c = 0; c < classes_; ++c) sum += At(truth, c);
    return sum;
  }
  [[nodiscard]] int Answered(std::size_t answer) const {
    int sum = 0;
    for (std::size_t c = 0; c < classes_; ++c) sum += At(c, answer);
    return sum;
  }

 private:
  std::size_t classes_;
  std::vector<int> counts_;
};

std::string Percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

void AddCurves(const std::vector<EpochRecord>& epochs, Page& page) {
  const auto values = [&](auto member, double factor) {
    std::vector<double> list;
    list.reserve(epochs.size());
    for (const EpochRecord& e : epochs) list.push_back(factor * e.*member);
    return list;
  };
  page.Heading("Loss");
  page.Add(LineChart({{"pointwise", "training, on varied pictures", values(&EpochRecord::training_loss, 1)},
                      {"depthwise", "validation", values(&EpochRecord::validation_loss, 1)}},
                     "epoch", "loss"));
  page.Heading("Accuracy");
  page.Add(
      LineChart({{"pointwise", "training, on varied pictures", values(&EpochRecord::training_accuracy, 100)},
                 {"depthwise", "validation", values(&EpochRecord::validation_accuracy, 100)}},
                "epoch", "top-1, %"));
}

void AddMatrix(const Confusion& confusion, const std::vector<std::string>& labels, Page& page) {
  page.Heading("Confusion matrix");
  page.Paragraph(
      "A row for each class, a column for each answer: green is right, red is wrong, and the deeper the more "
      "of the class.");
  std::string html = "<div class=\"scroll\"><table class=\"matrix\"><tr><th></th>";
  for (const std::string& label : labels) html += fmt::format("<th class=\"turned\">{}</th>", Escaped(label));
  html += "</tr>\n";
  for (std::size_t t = 0; t < confusion.classes(); ++t) {
    html += fmt::format("<tr><th>{}</th>", Escaped(labels[t]));
    const int of = confusion.Truth(t);
    for (std::size_t a = 0; a < confusion.classes(); ++a) {
      const int count = confusion.At(t, a);
      // By the square root, so that a few mistakes can be seen.
      const double share = of > 0 ? 80 * std::sqrt(static_cast<double>(count) / of) : 0;
      html += fmt::format("<td class=\"{}-cell\" style=\"--share:{:.0f}%\">{}</td>",
                          t == a ? "right" : "wrong", share, count > 0 ? fmt::format("{}", count) : "");
    }
    html += "</tr>\n";
  }
  page.Add(html + "</table></div>\n");
}

void AddPairs(const Confusion& confusion, const std::vector<std::string>& labels, Page& page) {
  struct Pair {
    std::size_t truth, answer;
    int count;
  };
  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < confusion.classes(); ++t) {
    for (std::size_t a = 0; a < confusion.classes(); ++a) {
      if (t != a && confusion.At(t, a) > 0) pairs.push_back({t, a, confusion.At(t, a)});
    }
  }
  std::ranges::stable_sort(pairs, std::greater(), &Pair::count);
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  std::vector<std::vector<std::string>> rows;
  rows.reserve(pairs.size());
  for (const Pair& p : pairs) {
    rows.push_back({labels[p.truth], labels[p.answer], std::to_string(p.count),
                    Percent(p.count, confusion.Truth(p.truth))});
  }
  page.Heading("Most frequent confusions");
  page.Rows({"class", "answered", ">pictures", ">of the class"}, rows);
}

void AddClasses(const Confusion& confusion, const std::vector<std::string>& labels, Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t c = 0; c < confusion.classes(); ++c) {
    rows.push_back({labels[c], std::to_string(confusion.Truth(c)),
                    Percent(confusion.At(c, c), confusion.Truth(c)),
                    Percent(confusion.At(c, c), confusion.Answered(c))});
  }
  page.Heading("Class by class");
  page.Paragraph(
      "Recall: how many of the class's pictures are found. Precision: how many of its answers are right.");
  page.Rows({"class", ">pictures", ">recall", ">precision"}, rows);
}

std::string Base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return text;
}

std::string Thumbnail(const std::filesystem::path& file) {
  const Image image = LoadImage(file, {.target_width = kThumbnail, .target_height = kThumbnail});
  const double factor = std::min(1.0, static_cast<double>(kThumbnail) / std::max(image.width, image.height));
  return Base64(EncodeJpeg(Shrink(image, factor), 80));
}

void AddMistakes(const TrainingResult& result, Page& page) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < result.validation.size(); ++i) {
    if (result.answers[i].predicted != result.validation[i].label) wrong.push_back(i);
  }
  if (wrong.empty()) return;
  std::ranges::stable_sort(wrong, std::greater(),
                           [&](std::size_t i) { return result.answers[i].probability; });
  if (wrong.size() > kMostMistakes) wrong.resize(kMostMistakes);
  page.Heading("Most confident mistakes");
  page.Paragraph(
      "Validation pictures that the model is most sure and most wrong about. Some may carry the wrong "
      "label.");
  std::string html = "<div class=\"pictures\">\n";
  for (const std::size_t i : wrong) {
    const Sample& sample = result.validation[i];
    std::string source;
    try {
      source = Thumbnail(sample.file);
    } catch (const Error&) {  // gone since: the rest of the page is still worth having
      continue;
    }
    const std::string file = Escaped(sample.file.filename().string());
    html += fmt::format(
        "<figure><img alt=\"{0}\" title=\"{0}\" src=\"data:image/jpeg;base64,{1}\"><b>{2}</b>not {3}, "
        "{4:.0f} %</figure>\n",
        file, source, Escaped(result.model.Label(sample.label)),
        Escaped(result.model.Label(result.answers[i].predicted)), 100 * result.answers[i].probability);
  }
  page.Add(html + "</div>\n");
}

}  // namespace

Page TrainingPage(const TrainingResult& result, const std::string& command) {
  const Network& network = result.model.network;
  const Cost cost = CostOf(network);
  const EpochRecord& last = result.epochs.back();
  Page page(fmt::format("{}, {} classes", TitleOf(network), network.classes()));
  page.Figures({{fmt::format("{:.2f} %", 100 * last.validation_accuracy),
                 fmt::format("top-1 on {} validation pictures", result.validation.size())},
                {Count(static_cast<double>(result.training.size())), "pictures trained on"},
                {fmt::format("{}", last.epoch), fmt::format("epochs, {:.0f} s", last.seconds)},
                {Count(static_cast<double>(cost.params)), "parameters"},
                {Count(static_cast<double>(cost.macs)), "mult-adds an image"},
                {Bytes(static_cast<double>(cost.weight_bytes)), "of weights as they are run"}});
  if (result.unreadable > 0) {
    page.Paragraph(fmt::format("{} pictures could not be read and were left out.", result.unreadable));
  }
  for (const std::string& change : result.changes)
    page.Paragraph("Changed on the way, when training was resumed: " + change + ".");
  AddCurves(result.epochs, page);
  const Confusion confusion(result);
  const std::vector<std::string>& labels = result.model.labels;
  labels.size() <= kMostInMatrix ? AddMatrix(confusion, labels, page) : AddPairs(confusion, labels, page);
  AddMistakes(result, page);
  AddClasses(confusion, labels, page);
  page.Heading("Again");
  page.Code(command);
  page.Note("What the network costs layer by layer: mobilenet cost --model FILE --html cost.html");
  return page;
}

}  // namespace mobilenet
