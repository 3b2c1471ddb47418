#include "cli/embedding_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "mobilenet/error.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

static_assert(std::endian::native == std::endian::little, ".npy is written as the machine has it");

// A header of a fixed length, so that the number of rows can be put in at the end.
std::string NpyHeader(std::size_t rows, std::size_t columns) {
  constexpr std::size_t kLength = 128;  // a multiple of 64, as NumPy has it
  constexpr std::string_view kBegin{"\x93NUMPY\x01\x00", 8};
  std::string header(kBegin);
  constexpr std::size_t kText = kLength - kBegin.size() - 2;
  header += static_cast<char>(kText);
  header += '\0';
  header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  header.resize(kLength - 1, ' ');
  return header + '\n';
}

std::string_view BytesOf(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

EmbeddingFormat EmbeddingFormatOf(const std::filesystem::path& path) {
  const std::string end = path.extension().string();
  if (end == ".csv") return EmbeddingFormat::kCsv;
  if (end == ".json" || end == ".jsonl") return EmbeddingFormat::kJson;
  if (end == ".npy") return EmbeddingFormat::kNpy;
  throw Error(path.string() +
              ": is to hold embeddings, expected a name that ends in .npy, .csv, .json or .jsonl");
}

std::filesystem::path EmbeddingFile::NamesOf(const std::filesystem::path& path) {
  return std::filesystem::path(path).replace_extension(".txt");
}

EmbeddingFile::EmbeddingFile(EmbeddingFormat format, std::size_t values,
                             const std::optional<std::filesystem::path>& path)
    : format_(format), columns_(values) {
  if (path) file_.emplace(*path);
  if (format == EmbeddingFormat::kNpy) {
    names_.emplace(NamesOf(path.value()));
    Write(NpyHeader(0, columns_));
  } else if (format == EmbeddingFormat::kCsv) {
    std::vector<std::string> headings = {"file"};
    for (std::size_t i = 0; i < columns_; ++i) headings.push_back(std::to_string(i));
    Write(CsvRow(headings));
  }
}

void EmbeddingFile::Write(const std::string& text) {
  if (file_) {
    file_->Append(text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw Error("standard output can't be written");
  }
}

void EmbeddingFile::Add(const std::string& picture, std::span<const float> values) {
  ++rows_;
  switch (format_) {
    case EmbeddingFormat::kNpy:
      if (picture.find('\n') != std::string::npos)
        throw Error(picture +
                    ": has a name of two lines, which a list of names can't hold: write .csv or .json");
      file_->Append(BytesOf(values));
      names_->Append(picture + '\n');
      return;
    case EmbeddingFormat::kCsv: {
      std::vector<std::string> cells = {picture};
      for (const float value : values) cells.push_back(fmt::format("{}", value));
      return Write(CsvRow(cells));
    }
    case EmbeddingFormat::kJson: {
      // Values in as few digits as float32 needs; the library for JSON would write those of a double.
      const nlohmann::ordered_json name = picture;
      std::string line =
          "{\"file\":" + name.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
          ",\"embedding\":[";
      for (std::size_t i = 0; i < values.size(); ++i)
        line += fmt::format("{}{}", i == 0 ? "" : ",", values[i]);
      return Write(PrintableJson(line + "]}") + '\n');
    }
  }
}

void EmbeddingFile::Finish() {
  if (format_ == EmbeddingFormat::kNpy) {
    file_->WriteBeginning(NpyHeader(rows_, columns_));
    names_->Commit();
  }
  if (file_) file_->Commit();
}

}  // namespace mobilenet::cli
