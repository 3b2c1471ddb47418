// What holds for every format: dispatch by content, orientation, and "a clean error or a clean result".
#include <algorithm>
#include <string>
#include <tuple>

#include "base/file.h"
#include "gmock/gmock.h"
#include "image/samples.h"
#include "mobilenet/error.h"
#include "mobilenet/image.h"
#include "temporary_directory.h"

namespace mobilenet {
namespace {

using namespace samples;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

void Write(const std::filesystem::path& path, const Bytes& bytes) {
  const std::span<const std::uint8_t> parts[] = {bytes};
  WriteFileWhole(path, parts);
}

TEST(Decode, GoesByContentNotByExtension) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "photo.png";
  Write(path, Jpeg(Gradient(16, 8)));
  const Image image = LoadImage(path);
  EXPECT_EQ(image.width, 16);
  EXPECT_EQ(image.height, 8);
  EXPECT_LE(MaxDifference(image, Gradient(16, 8)), 12);
}

TEST(Decode, NamesTheFileThatIsNoPicture) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "notes.jpg";
  Write(path, Text("some notes about flowers"));
  EXPECT_EQ(ErrorOf([&] { LoadImage(path); }),
            path.string() + ": is not a picture that can be read: expected one of " + PictureFormats() +
                "; found a file that starts with \"some not\"");
  EXPECT_THAT(ErrorOf([&] { LoadImage(directory.path() / "missing.jpg"); }), HasSubstr("missing.jpg"));
}

TEST(Decode, EmptyAndUnprintable) {
  EXPECT_THAT(DecodeError({}), StartsWith("x: is empty, expected one of JPEG, PNG, WebP, BMP"));
  EXPECT_THAT(DecodeError({0x01, 0xAB, 0x00}), HasSubstr("starts with bytes 01 AB 00"));
}

TEST(Decode, SaysWhatIsNotRead) {
  using std::string_view_literals::operator""sv;
  const std::pair<std::string_view, std::string> known[] = {
      {"\0\0\0\x0CJXL \r\n"sv, "a JPEG XL picture"},
      {"\xFF\x0A\0\0"sv, "a JPEG XL picture"},
      {"%PDF-1.7"sv, "a PDF file"},
      {"<!DOCTYPE html><html>"sv, "a web page"},
  };
  for (const auto& [head, what] : known) {
    EXPECT_THAT(DecodeError(Text(head)), AllOf(StartsWith("x: is " + what), HasSubstr("which is not read")));
  }
}

// Whether or not a build reads them, they are known.
TEST(Decode, FormatsThatABuildMayLackAreKnown) {
  using std::string_view_literals::operator""sv;
  const std::tuple<std::string_view, std::string, std::string, bool> formats[] = {
      {"GIF89a\1\0\1\0"sv, "GIF", "a GIF picture", MOBILENET_READS_GIF == 1},
      {"II*\0\x08\0\0\0"sv, "TIFF", "a TIFF picture", MOBILENET_READS_TIFF == 1},
      {"MM\0*\0\0\0\x08"sv, "TIFF", "a TIFF picture", MOBILENET_READS_TIFF == 1},
      {"\0\0\0\x10"
       "ftypheic\0\0\0\0"sv,
       "HEIC", "a HEIC picture", MOBILENET_READS_HEIF == 1},
      {"\0\0\0\x10"
       "ftypavif\0\0\0\0"sv,
       "AVIF", "an AVIF picture", MOBILENET_READS_HEIF == 1},
  };
  for (const auto& [head, name, what, built_in] : formats) {
    EXPECT_EQ(PictureFormats().find(name) != std::string::npos, built_in);
    const std::string error = DecodeError(Text(head));
    if (built_in) {
      EXPECT_THAT(error, StartsWith("x: "));
      EXPECT_THAT(error, Not(HasSubstr("this build")));
    } else {
      EXPECT_THAT(error,
                  StartsWith("x: is " + what + ", which this build does not read: build it where lib"));
    }
  }
}

TEST(Decode, EverySampleIsRead) {
  for (const NamedSample& sample : SmallSamples()) {
    const Image image = DecodeImage(sample.bytes, {}, sample.name);
    EXPECT_EQ(image.channels, 3) << sample.name;
    EXPECT_EQ(image.width + image.height, 16) << sample.name;
    EXPECT_EQ(image.pixels.size(), 9U * 7 * 3) << sample.name;
  }
}

TEST(Decode, MorePixelsThanAllowedAreRefused) {
  for (const NamedSample& sample : SmallSamples()) {
    EXPECT_EQ(DecodeError(sample.bytes, {.max_pixels = 63}), "") << sample.name;
    EXPECT_THAT(DecodeError(sample.bytes, {.max_pixels = 62}),
                AllOf(HasSubstr("9 x 7 pixels"), HasSubstr("at most 62")))
        << sample.name;
  }
}

// A cut file is an error; or, where only bytes behind the last pixel are missing, the same picture. Only the
// orientation may be lost, where a format keeps it behind the pixels.
TEST(Decode, TruncatedAnywhere) {
  for (const NamedSample& sample : SmallSamples()) {
    const Image whole = DecodeImage(sample.bytes);
    std::size_t errors = 0;
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      // A copy of exactly that size, so that a sanitizer sees a byte read behind it.
      const Bytes cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      try {
        EXPECT_EQ(MaxDifference(DecodeImage(cut), whole), 0) << sample.name << " cut to " << size;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), StartsWith("image: ")) << sample.name;
        ++errors;
      }
    }
    EXPECT_GE(errors, sample.bytes.size() - 4) << sample.name;
  }
}

// With any byte changed, decoding ends, in a picture of the declared size or an Error.
TEST(Decode, EveryByteChanged) {
  for (const NamedSample& sample : SmallSamples()) {
    for (std::size_t i = 0; i < sample.bytes.size(); ++i) {
      for (const int change : {0x01, 0x80, 0xFF}) {
        Bytes bytes = sample.bytes;
        bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ change);
        try {
          const Image image = DecodeImage(bytes, {.max_pixels = 1 << 16});
          EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.width) * image.height * 3);
          EXPECT_GE(image.pixels.size(), 3U);
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), StartsWith("image: ")) << sample.name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace mobilenet
