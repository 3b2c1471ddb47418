// Embeddings of many pictures, written one by one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "base/file.h"

namespace mobilenet::cli {

enum class EmbeddingFormat { kCsv, kJson, kNpy };

// By the name's end: .csv, .json or .jsonl, .npy. Throws Error for others.
EmbeddingFormat EmbeddingFormatOf(const std::filesystem::path& path);

// CSV has a line of headings, "file,0,1,...", and a line for each picture; JSON a line for each; .npy a
// matrix of float32 with a row for each (NumPy's format, version 1.0), and beside it a file of the same name
// that ends in .txt, with the pictures' names, a line each.
class EmbeddingFile {
 public:
  // To standard output where there is no path. The file appears once it is finished. Throws Error, as all
  // functions do.
  EmbeddingFile(EmbeddingFormat format, std::size_t values, const std::optional<std::filesystem::path>& path);

  void Add(const std::string& picture, std::span<const float> values);
  void Finish();

  // Of a .npy's pictures.
  [[nodiscard]] static std::filesystem::path NamesOf(const std::filesystem::path& path);

 private:
  void Write(const std::string& text);

  EmbeddingFormat format_;
  std::size_t columns_;
  std::size_t rows_ = 0;
  std::optional<WholeFile> file_;
  std::optional<WholeFile> names_;
};

}  // namespace mobilenet::cli
