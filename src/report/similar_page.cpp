#include "report/similar_page.h"

#include <fmt/format.h>

#include "report/text.h"
#include "report/thumbnails.h"

namespace mobilenet {
namespace {

std::string Card(const std::string& picture, const std::filesystem::path& file, const std::string& text) {
  return fmt::format("<figure><div class=\"shots\">{}</div><b class=\"file\">{}</b><p>{}</p></figure>\n",
                     picture, Escaped(file.filename().string()), Escaped(text));
}

}  // namespace

Page SimilarPage(const std::filesystem::path& query, const std::vector<SimilarPhoto>& photos,
                 std::size_t max_pixels, const std::string& command) {
  Page page(fmt::format("{} like {}", Counted(photos.size(), "photo"), query.filename().string()));
  page.Note(
      "The numbers are cosines of the angles between the network's pooled features: 1 for the same picture. "
      "Pictures that have nothing in common are well above 0, too: the order tells more than the number.");
  std::string cards = "<div class=\"cards\">\n" + Card(ThumbnailHtml(query, max_pixels), query, "looked for");
  for (const SimilarPhoto& photo : photos)
    cards += Card(OrWhyNot([&] { return ThumbnailHtml(photo.file, max_pixels); }), photo.file,
                  fmt::format("{:.3f}", photo.similarity));
  page.Add(cards + "</div>\n");
  page.Heading("Make this page again");
  page.Code(command);
  return page;
}

}  // namespace mobilenet
