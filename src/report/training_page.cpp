#include "report/training_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "mobilenet/cost.h"
#include "mobilenet/error.h"
#include "report/answers.h"
#include "report/chart.h"
#include "report/text.h"
#include "report/thumbnails.h"

namespace mobilenet {
namespace {

constexpr std::size_t kMostInMatrix = 40;  // classes
constexpr std::size_t kMostPairs = 30;
constexpr std::size_t kMostMistakes = 24;

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

 private:
  std::size_t classes_;
  std::vector<int> counts_;
};

// What guessing among classes of equal chance costs: ln(classes) nats.
void AddLastEpoch(const EpochRecord& only, int classes, Page& page) {
  page.Heading("Loss and accuracy");
  page.Paragraph(
      fmt::format("Loss: {:.3f} in training, {:.3f} in validation; guessing among {} costs {:.2f}. "
                  "Top-1: {:.1f} % in training, {:.1f} % in validation.",
                  only.training_loss, only.validation_loss,
                  Counted(static_cast<std::size_t>(classes), "class", "classes"), std::log(classes),
                  100 * only.training_accuracy, 100 * only.validation_accuracy));
}

void AddCurves(const std::vector<EpochRecord>& epochs, Page& page) {
  const auto values = [&](auto member, double factor) {
    std::vector<double> list;
    list.reserve(epochs.size());
    for (const EpochRecord& e : epochs) list.push_back(factor * e.*member);
    return list;
  };
  page.Heading("Loss");
  page.Add(LineChart({{"pointwise", "training", values(&EpochRecord::training_loss, 1)},
                      {"depthwise", "validation", values(&EpochRecord::validation_loss, 1)}},
                     "epoch", "loss"));
  page.Heading("Accuracy");
  page.Add(LineChart({{"pointwise", "training", values(&EpochRecord::training_accuracy, 100)},
                      {"depthwise", "validation", values(&EpochRecord::validation_accuracy, 100)}},
                     "epoch", "top-1, %"));
  page.Note(
      "Training's are those of its own steps, while weights moved: on pictures that were varied as its "
      "options say.");
}

void AddMatrix(const Confusion& confusion, const std::vector<std::string>& labels, Page& page) {
  page.Heading("Confusion matrix");
  page.Paragraph(
      "A row for each class, a column for each answer: green is right, red is wrong, and the deeper the more "
      "of the class.");
  std::string html = "<div class=\"scroll\"><table class=\"matrix\"><tr><th></th>";
  const auto heading = [](const char* kind, const std::string& label) {
    return fmt::format("<th{} title=\"{}\">{}</th>", kind, Escaped(label), Escaped(ShortLabel(label)));
  };
  for (const std::string& label : labels) html += heading(" class=\"turned\"", label);
  html += "</tr>\n";
  for (std::size_t t = 0; t < confusion.classes(); ++t) {
    html += "<tr>" + heading("", labels[t]);
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
                    ShareText(p.count, confusion.Truth(p.truth))});
  }
  page.Heading("Most frequent confusions");
  page.Rows({"~class", "~answered", ">pictures", ">of the class"}, rows);
}

void AddClasses(const std::vector<Evaluation::Class>& classes, const Model& model, Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (const ClassScore& score : WorstFirst(classes)) {
    const Evaluation::Class& c = score.counts;
    rows.push_back({model.Label(static_cast<int>(score.index)), std::to_string(c.images),
                    ShareText(c.top1, c.images), ShareText(c.top1, c.answered)});
  }
  page.Heading("Class by class");
  page.Paragraph(fmt::format(
      "The worst first. Recall: how many of the class's pictures are found, {:.1f} % as a mean over classes. "
      "Precision: how many of its answers are right.",
      100 * BalancedAccuracy(classes)));
  page.Rows({"~class", ">pictures", ">recall", ">precision"}, rows);
}

void AddReliability(const TrainingResult& result, Page& page) {
  const Reliability reliability = ReliabilityOf(result);
  std::vector<BarRow> rows;
  for (std::size_t i = reliability.bins.size(); i-- > 0;) {
    const Reliability::Bin& bin = reliability.bins[i];
    BarRow row = {fmt::format("{} to {} %", 10 * i, 10 * (i + 1)), {}, "none"};
    if (bin.images > 0) {
      row.parts = {{"depthwise", 100.0 * bin.right / bin.images}};
      row.value = fmt::format("{} of {}", ShareText(bin.right, bin.images), bin.images);
      row.mark = 100 * bin.confidence / bin.images;
    }
    rows.push_back(std::move(row));
  }
  page.Heading("Are 90 % right nine times in ten?");
  page.Paragraph(fmt::format(
      "Answers by the probability that they were given with, and the share of them that is right. They are "
      "{:.1f} % apart on average (the expected calibration error).",
      100 * reliability.Error()));
  page.Add(Legend({{"depthwise", "right"}, {"mark", "their mean probability: where the bar should end"}}));
  page.Add(BarChart(rows, 100));
  const auto calibrated = result.model.provenance.find("calibrated");
  page.Note(
      calibrated == result.model.provenance.end()
          ? "train --calibrate, or convert --calibrate for a model that is there, brings the two together."
          : "Calibrated: " + calibrated->second + ".");
}

std::string Card(const Sample& sample, const ValidationAnswer& answer, const Model& model,
                 Thumbnails& thumbnails) {
  constexpr int kColumns = 40;
  const auto label = [&](int index) { return Escaped(ShortLabel(model.Label(index), kColumns)); };
  return fmt::format(
      "<figure>{}<b>{}</b> is its label, {} the answer, {:.0f} %<span class=\"file\">{}</span></figure>\n",
      thumbnails.Html(sample.file, answer.predicted), label(sample.label), label(answer.predicted),
      100 * answer.probability, Escaped(sample.file.filename().string()));
}

void AddMistakes(const TrainingResult& result, std::size_t max_pixels, Page& page) {
  const std::vector<std::size_t> wrong = MistakesOf(result);
  if (wrong.empty()) return;
  Thumbnails thumbnails(result.model, {.max_pixels = max_pixels});
  page.Heading("Most confident mistakes");
  page.Paragraph(fmt::format(
      "Validation pictures that the model is most sure and most wrong about. Some may carry the wrong label: "
      "doubtful.tsv lists {}, to be corrected and trained from.",
      wrong.size() == 1 ? "the one there is" : fmt::format("all {}", wrong.size())));
  std::string html = "<div class=\"cards\">\n";
  for (const std::size_t i : std::span(wrong).first(std::min(kMostMistakes, wrong.size()))) {
    try {
      html += Card(result.validation[i], result.answers[i], result.model, thumbnails);
    } catch (const Error&) {  // gone since: the rest of the page is still worth having
    }
  }
  page.Add(html + "</div>\n");
  page.Note(thumbnails.Note());
}

// What the page begins with.
void AddFigures(const TrainingResult& result, const Evaluation& tested, Page& page) {
  const Cost cost = CostOf(result.model.network);
  const EpochRecord& last = result.epochs.back();
  const bool curves = result.epochs.size() > 1;
  std::vector<Page::Figure> figures = {
      {fmt::format("{:.2f} %", 100 * result.validation_accuracy),
       fmt::format("top-1 on {}", Counted(result.validation.size(), "validation picture"))},
      {fmt::format("{:.2f} %", 100 * BalancedAccuracy(ClassesOf(result))), "as a mean over classes"}};
  if (tested.images > 0) {
    figures.push_back({fmt::format("{:.2f} %", 100 * tested.top1),
                       fmt::format("top-1 on {}, once, in the end",
                                   Counted(static_cast<std::size_t>(tested.images), "test picture"))});
  }
  figures.insert(figures.end(),
                 {{Count(static_cast<double>(result.training.size())), "pictures trained on"},
                  {curves ? fmt::format("{}", last.epoch) : fmt::format("{:.0f} s", last.seconds),
                   curves ? fmt::format("epochs, {:.0f} s", last.seconds) : "from start to end"},
                  {Count(static_cast<double>(cost.params)), "parameters"},
                  {Count(static_cast<double>(cost.macs)), "mult-adds an image"},
                  {Bytes(static_cast<double>(cost.weight_bytes)), "of weights as they are run"}});
  page.Figures(figures);
}

}  // namespace

Page TrainingPage(const TrainingResult& result, const TrainingPageOptions& options) {
  const Network& network = result.model.network;
  Page page(fmt::format("{}, {} classes", TitleOf(network), network.classes()));
  AddFigures(result, options.tested, page);
  if (const std::string kept = KeptText(result); !kept.empty()) page.Paragraph(kept);
  if (result.unreadable > 0) {
    page.Paragraph(fmt::format("{} pictures could not be read and were left out.", result.unreadable));
  }
  for (const std::string& change : result.changes)
    page.Paragraph("Changed on the way, when training was resumed: " + change + ".");
  if (result.epochs.size() > 1) {
    AddCurves(result.epochs, page);
  } else {
    AddLastEpoch(result.epochs.back(), network.classes(), page);
  }
  const Confusion confusion(result);
  const std::vector<std::string>& labels = result.model.labels;
  labels.size() <= kMostInMatrix ? AddMatrix(confusion, labels, page) : AddPairs(confusion, labels, page);
  AddClasses(ClassesOf(result), result.model, page);
  AddReliability(result, page);
  AddMistakes(result, options.max_pixels, page);
  page.Heading("Again");
  page.Code(options.command);
  page.Note("What the network costs layer by layer: mobilenet cost --model FILE --html cost.html");
  return page;
}

}  // namespace mobilenet
