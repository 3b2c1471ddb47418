#include "report/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/chart.h"
#include "report/text.h"
#include "report/thumbnails.h"

namespace mobilenet {
namespace {

constexpr int kLabelColumns = 30;

std::string BarsOf(const std::vector<Prediction>& predictions) {
  std::vector<BarRow> rows;
  rows.reserve(predictions.size());
  for (const Prediction& p : predictions) {
    rows.push_back({ShortLabel(p.label, kLabelColumns),
                    {{"depthwise", 100 * p.probability}},
                    fmt::format("{:.1f} %", 100 * p.probability)});
  }
  return BarChart(rows, 100);
}

}  // namespace

void ContactSheet::Add(const std::filesystem::path& file, const std::vector<Prediction>& predictions) {
  if (photos_.size() == kMostPhotos) {
    ++left_out_;
    return;
  }
  const auto count = std::min<std::ptrdiff_t>(kTop, std::ssize(predictions));
  photos_.push_back({file, {predictions.begin(), predictions.begin() + count}});
}

Page ContactSheet::Make(const Model& model, const ClassifierOptions& options,
                        const std::string& command) const {
  Page page(fmt::format("What {} sees in {}", TitleOf(model.network), Counted(photos_.size(), "photo")));
  if (left_out_ > 0)
    page.Paragraph(fmt::format("{} more {} classified, and left out here.", Counted(left_out_, "photo"),
                               left_out_ == 1 ? "was" : "were"));
  if (unreadable_ > 0) page.Paragraph(fmt::format("{} could not be read.", Counted(unreadable_, "photo")));
  Thumbnails thumbnails(model, options);
  page.Note(thumbnails.Note());
  std::string html = "<div class=\"cards\">\n";
  for (const Photo& photo : photos_) {
    const std::string shots =
        OrWhyNot([&] { return thumbnails.Html(photo.file, photo.predictions.front().index); });
    html += fmt::format("<figure>{}<b class=\"file\">{}</b>{}</figure>\n", shots,
                        Escaped(photo.file.filename().string()), BarsOf(photo.predictions));
  }
  page.Add(html + "</div>\n");
  page.Heading("Make this page again");
  page.Code(command);
  return page;
}

}  // namespace mobilenet
