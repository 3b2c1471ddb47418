// The countable columns of the MobileNet papers, computed again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mobilenet/export.h"

namespace mobilenet {

struct PaperCell {
  std::string paper;  // as printed there
  std::string ours;   // rounded as the paper rounds
  // Empty where the two are the same; otherwise why they are not (docs/paper.md says more).
  std::string note;
};

struct PaperRow {
  std::string name;
  std::vector<PaperCell> cells;  // one for each of the table's columns
};

struct PaperTable {
  int number;
  std::string title;
  std::vector<std::string> columns;
  std::vector<PaperRow> rows;
};

struct Paper {
  std::string version;     // of its networks: "v1", "v2", "v3", "v4"
  std::string citation;    // authors, year, title, arXiv number
  std::string parameters;  // what it counts as such: "weights alone"
  std::vector<PaperTable> tables;
};

// The tables that have such columns, in order: of V1's (Howard et al. 2017) 1 to 10, 12 and 14, of V2's
// (Sandler et al. 2018) 2 and 4, of V3's (Howard et al. 2019) 1 to 3, of V4's (Qin et al. 2024) 6, 11, 12 and
// 14. Of those that compare MobileNets with other networks, only the rows of networks that we have.
// Parameters are counted as the paper does: V1's and V2's without biases and batch norms, which CostOf counts
// too. Pure; nothing is measured or read. Throws Error for another version.
MOBILENET_EXPORT Paper ReproducePaper(std::string_view version = "v1");

// All versions that there is a paper on: "v1", "v2", "v3", "v4".
MOBILENET_EXPORT std::vector<std::string> PaperVersions();

}  // namespace mobilenet
