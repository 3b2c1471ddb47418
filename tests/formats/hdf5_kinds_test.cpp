// Every way in which HDF5 stores datasets, links and attributes, in files that h5py wrote:
// tests/data/make_hdf5.py.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/fail.h"
#include "base/file.h"
#include "complaint.h"
#include "formats/hdf5.h"
#include "formats/keras.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "runtime/reference_run.h"

namespace mobilenet {
namespace {

using testing::HasSubstr;

std::filesystem::path Data() {
  return std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "hdf5";
}

template <typename Work>
std::string ComplaintOf(const Work& work) {
  return Complaint([&] { (void)work(); });
}

// A file of h5py's.
struct Opened {
  explicit Opened(const std::string& name) : bytes(ReadFile(Data() / (name + ".h5"))), file(bytes, "f") {}

  [[nodiscard]] Hdf5::Address Find(const std::string& name) const {
    return file.Children(file.root()).at(name);
  }
  [[nodiscard]] Tensor Floats(const std::string& name) const { return file.Floats(Find(name), name); }

  std::vector<std::uint8_t> bytes;
  Hdf5 file;
};

struct Case {
  std::string file;
  std::string dataset;
  std::vector<std::int64_t> shape;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.file << ' ' << c.dataset; }

std::vector<Case> Cases() {
  struct Kind {
    const char* name;
    std::vector<std::int64_t> shape;
    bool filled;  // there is one whose last rows were never written
    bool old;     // the older files have it, too
  };
  const Kind kinds[] = {{"chunks", {7, 5}, true, true},
                        {"many", {40, 9}, false, true},
                        {"single", {7, 5}, false, false},
                        {"paged", {1100, 1}, false, false},
                        {"larger", {7, 5}, true, false},
                        {"extensible", {7, 5}, true, false},
                        {"extensible_columns", {5, 7}, true, false},
                        {"extensible_many", {300, 1}, false, false},
                        {"records", {7, 5}, true, false},
                        {"records_many", {150, 3}, false, false}};
  std::vector<Case> cases;
  for (const std::string file : {"earliest", "latest"}) {
    for (const char* size : {"2", "4", "8"}) {
      for (const char* order : {"little", "big"})
        cases.push_back({file, Concat("type_", order, "_f", size), {3, 5}});
    }
    for (const char* name : {"gzip", "shuffle", "fletcher", "lzf"})
      cases.push_back({file, Concat("filter_", name), {20, 20}});
    cases.push_back({file, "compact", {3, 5}});
    cases.push_back({file, "scalar", {}});
    cases.push_back({file, "empty", {0, 4}});
    cases.push_back({file, "never_written_filled", {4, 5}});
    for (const Kind& kind : kinds) {
      if (file == "earliest" && !kind.old) continue;
      for (const char* end : {"", "_gzip", "_filled"}) {
        if (kind.filled || end != std::string("_filled"))
          cases.push_back({file, Concat(kind.name, end), kind.shape});
      }
    }
  }
  cases.push_back({"latest", "implicit", {7, 5}});
  cases.push_back({"latest", "raw_edges", {20, 7}});
  return cases;
}

class Hdf5Datasets : public testing::TestWithParam<Case> {};

// Value number i is i % 200 / 4 - 10; of those that were filled, the first two rows.
TEST_P(Hdf5Datasets, HaveTheValuesThatWereWritten) {
  const auto& [name, dataset, shape] = GetParam();
  const Opened opened(name);
  EXPECT_TRUE(opened.file.IsDataset(opened.Find(dataset)));
  const Tensor tensor = opened.Floats(dataset);
  ASSERT_EQ(tensor.shape, shape);
  const bool filled = dataset.ends_with("_filled");
  const std::size_t written = dataset == "never_written_filled" ? 0
                              : filled                          ? static_cast<std::size_t>(2 * shape[1])
                                                                : tensor.values.size();
  for (std::size_t i = 0; i < tensor.values.size(); ++i)
    ASSERT_EQ(tensor.values[i], i < written ? static_cast<float>(i % 200) / 4 - 10 : 2.5F) << "at " << i;
}

INSTANTIATE_TEST_SUITE_P(All, Hdf5Datasets, testing::ValuesIn(Cases()));

TEST(Hdf5, WhatIsNotReadIsNamed) {
  for (const char* name : {"earliest", "latest"}) {
    const Opened opened(name);
    EXPECT_THAT(ComplaintOf([&] { return opened.Floats("filter_scaleoffset"); }),
                HasSubstr("f: the dataset filter_scaleoffset: went through scaleoffset (filter 6)"));
    EXPECT_THAT(ComplaintOf([&] { return opened.Floats("of_named_type"); }),
                HasSubstr("of_named_type: is of a shared type"));
    EXPECT_THAT(ComplaintOf([&] { return opened.file.Children(opened.Find("soft")); }),
                HasSubstr("f: the link link is a soft one"));
  }
}

class Hdf5Files : public testing::TestWithParam<const char*> {};

// Symbol tables of several levels; link messages; heaps and trees of several levels.
TEST_P(Hdf5Files, GroupsOfAnyNumberOfLinks) {
  const Opened opened(GetParam());
  int groups = 0;
  for (const auto& [name, group] : opened.file.Children(opened.file.root())) {
    if (!name.starts_with("links")) continue;
    const auto links = opened.file.Children(group);
    ASSERT_EQ(links.size(), std::stoul(name.substr(5)));
    ++groups;
    for (std::size_t i = 0; i < links.size(); ++i)
      EXPECT_EQ(opened.file.Floats(links.at(Concat("n", i)), name).values[0], static_cast<float>(i % 7));
  }
  EXPECT_GE(groups, 1);
}

TEST_P(Hdf5Files, FewAndManyAttributes) {
  const Opened opened(GetParam());
  for (const int count : {3, 12}) {
    const Hdf5::Address group = opened.Find(Concat("attributes", count));
    const auto text = [&](std::string_view name) { return opened.file.Text(group, name); };
    for (int i = 0; i < count; ++i) EXPECT_EQ(text(Concat("a", i)), Concat("text ", i));
    EXPECT_EQ(text("fixed"), "fixed text");
    EXPECT_EQ(text("empty"), "");
    EXPECT_EQ(text("long").size(), 6000U);
    EXPECT_EQ(text("absent"), "");
    EXPECT_THAT(ComplaintOf([&] { return text("number"); }),
                HasSubstr("f: the attribute number is not a text"));
  }
}

// Blocks are compared with their checksums once, or reading the same ones would soon look like a loop.
TEST_P(Hdf5Files, GroupsAreReadAsOftenAsOneLikes) {
  const Opened opened(GetParam());
  const Hdf5::Address group = opened.Find("links9");
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(opened.file.Children(group).size(), 9U);
}

INSTANTIATE_TEST_SUITE_P(All, Hdf5Files,
                         testing::Values("earliest", "earliest_ordered", "latest", "latest_ordered"));

// Keras's answer for i % 17 / 8 - 1.
TEST(Hdf5, ModelsAnswerAsKerasHoweverTheyAreStored) {
  const auto expected = nlohmann::json::parse(std::ifstream(Data() / "model.json")).get<std::vector<float>>();
  for (const char* name : {"model.h5", "model_latest.h5", "model_latest_ordered.h5", "model_superblock2.h5",
                           "model_gzip.h5", "model_in_training.keras"}) {
    SCOPED_TRACE(name);
    const Model model = Model::Load(Data() / name);
    std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i % 17) / 8 - 1;
    const std::vector<float> logits = ReferenceRun(model.network, model.weights, input);
    ASSERT_EQ(logits.size(), expected.size());
    for (std::size_t i = 0; i < logits.size(); ++i)
      EXPECT_NEAR(logits[i], expected[i], 1e-4 * std::abs(expected[i]));
  }
}

}  // namespace
}  // namespace mobilenet
