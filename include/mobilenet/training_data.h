// Pictures to train on, as people have them in folders and lists. Part of libmobilenet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "mobilenet/classifier.h"
#include "mobilenet/export.h"

namespace mobilenet {

struct FindOptions {
  // Where there are pictures to train on and to test with but none to validate with, validate with those to
  // test with, and test with none.
  bool validate_with_test = false;
  // A text file with a name for each class in its lines, where folders are numbers: the first is that of
  // class 0 where there is one, else of class 1. Empty: classes keep their names.
  std::filesystem::path labels = {};
  int threads = 1;  // that look at pictures, 1 to 256
  // Called on the calling thread. May be empty.
  std::function<void(std::size_t done, std::size_t of)> looking = {};
};

// Pictures by class, and which of them training must not see.
struct TrainingData {
  std::vector<std::string> classes;  // in alphabetical order, or, where all were numbers, in theirs
  std::vector<Sample> training;
  std::vector<Sample> validation;
  std::vector<Sample> test;                  // to be measured with once, in the end; Train doesn't use them
  bool drawn = false;                        // `validation` was drawn at random
  std::vector<std::filesystem::path> roots;  // the folders that hold the folders of classes; none for a list
  std::string summary;                       // what was taken for what, in a line
  std::vector<std::string> notes;            // what was guessed, and what was left out, a sentence each
  std::vector<std::string> unreadable;       // for each picture that can't be read and was left out, why

  // DIR/train/CLASS/* with a folder to validate with beside it, to test with, or both; DIR/CLASS/*; or a list
  // of files and classes, and perhaps of what they are for, as LoadSamples reads it. The parts may have any
  // usual name in any case: train, training; val, valid, validation, dev; test, testing.
  //
  // Where nothing is there to validate with, each picture to train on that can be read is held out with the
  // probability `validation_share`, by `seed` and what is in its file alone: with the same share and seed its
  // side stays when others are added or it gets another name, and copies of a picture are on one side. (What
  // is in it is its size and its first and last 64 KiB.) The price is exactness: of n pictures of a class, n
  // * share +- sqrt(n * share * (1 - share)) are held out. Each class has at least one on each side: one that
  // is held out for want of another may be trained on when there are more.
  //
  // Throws Error where a class has no pictures to train on, or none to validate with where some were given,
  // where the sides are drawn and a class has less than two different ones, where there are fewer than two
  // classes, where a class is only tested with, or where a list has a picture in two parts or in two classes.
  MOBILENET_EXPORT static TrainingData Find(const std::filesystem::path& path, double validation_share,
                                            std::uint64_t seed, const FindOptions& options = {});
};

}  // namespace mobilenet
