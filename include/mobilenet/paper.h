// The countable columns of the paper, computed again: Howard et al. 2017, "MobileNets: Efficient
// Convolutional Neural Networks for Mobile Vision Applications", arXiv 1704.04861, Tables 1 to 14.
#pragma once

#include <string>
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

// The tables that have such columns, in order: 1 to 10, 12 and 14. Of those that compare MobileNets with
// other networks, only the MobileNets' rows. Parameters are weights alone, as the paper counts them: CostOf
// counts biases and batch norms too. Pure; nothing is measured or read.
MOBILENET_EXPORT std::vector<PaperTable> ReproducePaper();

}  // namespace mobilenet
