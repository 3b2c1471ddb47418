// Photos on one page, each with what a model says of it and where it looked.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "mobilenet/classifier.h"
#include "report/html.h"

namespace mobilenet {

class ContactSheet {
 public:
  static constexpr std::size_t kMostPhotos = 300;
  static constexpr int kTop = 3;  // answers that are shown of each

  // Of the photos that were classified; the page keeps the first ones.
  void Add(const std::filesystem::path& file, const std::vector<Prediction>& predictions);
  void AddUnreadable() { ++unreadable_; }

  // Reads the photos again. `command` is shown as the way to make the page again. Throws Error where the
  // model can't be run.
  [[nodiscard]] Page Make(const Model& model, const ClassifierOptions& options,
                          const std::string& command) const;

 private:
  struct Photo {
    std::filesystem::path file;
    std::vector<Prediction> predictions;
  };
  std::vector<Photo> photos_;
  std::size_t left_out_ = 0;
  std::size_t unreadable_ = 0;
};

}  // namespace mobilenet
