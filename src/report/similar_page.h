// Photos that look like one, on a page.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "report/html.h"

namespace mobilenet {

struct SimilarPhoto {
  std::filesystem::path file;
  double similarity;  // the cosine of the embeddings, from -1 to 1
};

// `photos` are shown in their order; those that can't be read any more, with why. `command` is shown as the
// way to make the page again. Throws Error where the query can't be read.
Page SimilarPage(const std::filesystem::path& query, const std::vector<SimilarPhoto>& photos,
                 std::size_t max_pixels, const std::string& command);

}  // namespace mobilenet
