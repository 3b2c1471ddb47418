// Lists of pictures: a file and its class in each line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "classify/folders.h"

namespace mobilenet {

struct ListLine {
  int number = 0;    // from 1
  std::string name;  // of the picture, as it stands there
  // From the folder named as the list, where it is there, or beside the list.
  std::filesystem::path picture;
  std::string class_name;
  std::optional<Part> part;  // in all lines or in none
};

struct PictureList {
  std::vector<ListLine> lines;
  std::vector<std::string> notes;  // what was guessed and what was ignored, a sentence each
};

// Reads fields that are parted by tabs, as they stand, or by commas or semicolons, then perhaps in double
// quotes, in which two stand for one; which of these it is, the first line tells. Blank lines are skipped.
// Where the first line names a column for pictures and one for classes, these count, and perhaps one for
// parts; else they are the first, the second and perhaps the third. A picture that isn't there may be one
// whose ending is missing. Throws Error where the list can't be read, for the first line that is none, and
// where there are none.
PictureList ReadList(const std::filesystem::path& list);

}  // namespace mobilenet
