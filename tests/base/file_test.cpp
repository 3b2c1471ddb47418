#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "complaint.h"
#include "gmock/gmock.h"
#include "mobilenet/error.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string Text(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

void Write(const std::filesystem::path& path, std::string_view a, std::string_view b = "") {
  const std::span<const std::uint8_t> parts[] = {Bytes(a), Bytes(b)};
  WriteFileWhole(path, parts);
}

TEST(File, WritesPartsInOrderAndReplaces) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "f";
  Write(path, "old content that is longer");
  Write(path, "new", " content");
  EXPECT_EQ(Text(ReadFile(path)), "new content");
  EXPECT_EQ(Text(MappedFile(path).bytes()), "new content");
}

// How many pages of a mapped file this process holds; 0 where the system doesn't tell, as under emulation.
std::size_t PagesIn(std::span<const std::uint8_t> bytes) {
  std::ifstream maps("/proc/self/smaps");
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash && dash == '-') inside = begin == address;
    if (inside && line.starts_with("Rss:")) {
      return std::stoul(line.substr(4)) * 1024 / static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    }
  }
  return 0;
}

TEST(File, ReleasesWholePagesOfMappedFilesAlone) {
  const TemporaryDirectory directory;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::string text;
  for (std::size_t i = 0; i < 40 * page; ++i) text += static_cast<char>('a' + i % 23);
  Write(directory.path() / "f", text);
  const MappedFile file(directory.path() / "f");
  EXPECT_EQ(Text(file.bytes()), text);
  const std::size_t all = PagesIn(file.bytes());
  if (all != 0) {
    EXPECT_EQ(all, 40U);
  }
  ReleaseMapped(file.bytes().subspan(1, 20 * page));  // 19 whole pages
  if (all != 0) {
    EXPECT_EQ(PagesIn(file.bytes()), 21U);
  }
  EXPECT_EQ(Text(file.bytes()), text);
  ReleaseMapped(file.bytes());
  EXPECT_EQ(PagesIn(file.bytes()), 0U);
  EXPECT_EQ(Text(file.bytes()), text);
  // Other memory, and what reaches beyond the file, stays.
  const std::string copy = text;
  ReleaseMapped(Bytes(copy));
  EXPECT_EQ(copy, text);
  ReleaseMapped({file.bytes().data() + page, file.bytes().size()});
  ReleaseMapped({});
  EXPECT_EQ(PagesIn(file.bytes()), all);
}

TEST(File, AFailedWriteLeavesTheOldFileAndNothingBeside) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "f";
  std::filesystem::create_directory(path);  // a file can't be renamed over a directory
  EXPECT_THROW(Write(path, "x"), Error);
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path())) ++entries;
  EXPECT_EQ(entries, 1);
}

TEST(File, Lines) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "f";
  Write(path,
        "\xEF\xBB\xBF"
        "a\r\n\nb c\n");
  EXPECT_THAT(ReadLines(path), testing::ElementsAre("a", "", "b c"));
  Write(path, "no end");
  EXPECT_THAT(ReadLines(path), testing::ElementsAre("no end"));
  Write(path, "");
  EXPECT_TRUE(ReadLines(path).empty());
  Write(path, "text\nno ", std::string_view("te\0xt", 5));
  EXPECT_THROW(ReadLines(path), Error);
}

TEST(File, WhatKilledWritersLeftIsRemovedAndNothingElse) {
  const TemporaryDirectory directory;
  for (const char* name : {"f", "f.12-0.part", "f.3-12.part", "f.1-0.part.gz", "f.x-0.part", "g.1-0.part"})
    Write(directory.path() / name, "x");
  RemoveUnfinished(directory.path() / "f");
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
    left.push_back(entry.path().filename().string());
  EXPECT_THAT(left, testing::UnorderedElementsAre("f", "f.1-0.part.gz", "f.x-0.part", "g.1-0.part"));
}

TEST(File, AFolderHasOneLock) {
  const TemporaryDirectory directory;
  {
    const FolderLock first(directory.path());
    EXPECT_THROW(FolderLock(directory.path()), Error);
  }
  EXPECT_NO_THROW(FolderLock(directory.path()));
}

TEST(File, WritesThroughLinksAndKeepsTheMode) {
  const TemporaryDirectory directory;
  const auto target = directory.path() / "target";
  const auto link = directory.path() / "link";
  Write(target, "old");
  std::filesystem::permissions(target,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::create_symlink("target", link);
  Write(link, "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(Text(ReadFile(target)), "new");
  EXPECT_EQ(std::filesystem::status(target).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(File, RefusesToReplaceWhatIsNoFile) {
  const TemporaryDirectory directory;
  const auto pipe = directory.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(Write(pipe, "x"), Error);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_THROW(Write(directory.path(), "x"), Error);
}

TEST(File, MissingDirectoryAndEmptyFile) {
  const TemporaryDirectory directory;
  EXPECT_THROW(MappedFile(directory.path() / "missing"), Error);
  EXPECT_THROW(ReadFile(directory.path() / "missing"), Error);
  EXPECT_THROW(MappedFile{directory.path()}, Error);
  const std::filesystem::path pipe = directory.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Complaint([&] { MappedFile{pipe}; }), testing::HasSubstr("is not a regular file"));
  EXPECT_THROW(ReadFile(directory.path()), Error);
  Write(directory.path() / "empty", "");
  EXPECT_TRUE(MappedFile(directory.path() / "empty").bytes().empty());
  EXPECT_TRUE(ReadFile(directory.path() / "empty").empty());
}

// Before memory is taken for it: this one takes none on disk either.
TEST(File, OneThatIsTooLargeIsRefusedAtOnce) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "large";
  std::ofstream(path) << "";
  std::filesystem::resize_file(path, std::uintmax_t{1} << 31);
  EXPECT_THAT(Complaint([&] { ReadFile(path); }),
              testing::HasSubstr("large: has 2147483648 bytes, expected at most 1073741824"));
}

TEST(File, AFileIsReplacedByItsOwnKindAlone) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "file";
  const auto check = [&] {
    return Complaint([&] {
      CheckReplaceable(path, "a b", [](std::span<const std::uint8_t> begin) { return begin.front() == 'b'; });
    });
  };
  EXPECT_EQ(check(), "no error") << "nothing is there";
  EXPECT_FALSE(std::filesystem::exists(path));
  std::ofstream(path) << "";
  EXPECT_EQ(check(), "no error") << "it is empty";
  std::ofstream(path) << "b";
  EXPECT_EQ(check(), "no error");
  std::ofstream(path) << "ab";
  EXPECT_THAT(check(), testing::HasSubstr("file: is there already and is not a b: remove it"));
  EXPECT_THAT(Complaint([&] { CheckReplaceable(directory.path(), "a b", [](auto) { return true; }); }),
              testing::HasSubstr("is a directory"));
}

TEST(File, ReadsMoreThanOneBlock) {
  const TemporaryDirectory directory;
  const std::string text(1'000'003, 'x');
  Write(directory.path() / "f", text);
  EXPECT_EQ(Text(ReadFile(directory.path() / "f")), text);
}

}  // namespace
}  // namespace mobilenet
