#include "training/draw.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <utility>

#include "base/fail.h"
#include "base/fingerprint.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "image/signatures.h"
#include "mobilenet/image.h"
#include "training/run_or_throw.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRead = 64 << 10;  // bytes of each end

// What a file is known by, and why it can't be read as a picture.
struct Look {
  std::uint64_t content = 0;
  std::string error;
};

// Reads bytes from where `file` is, and marks them.
std::span<const std::uint8_t> ReadInto(std::ifstream& file, std::span<std::uint8_t> buffer,
                                       Fingerprint& mark) {
  file.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
  const auto bytes = buffer.first(static_cast<std::size_t>(file.gcount()));
  mark.Add(bytes);
  return bytes;
}

// Whether it begins as a picture that is read; if so, its ends and size are in `mark`.
bool LooksLikePicture(const fs::path& path, Fingerprint& mark) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  const std::uintmax_t size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> buffer(kRead);
  if (!IsRead(SignatureOf(ReadInto(file, buffer, mark)).format)) return false;
  if (size > kRead) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(std::max<std::uintmax_t>(kRead, size - kRead)));
    ReadInto(file, buffer, mark);
  }
  mark.Add(std::to_string(size));
  return true;
}

Look LookAt(const fs::path& path) {
  Look look;
  Fingerprint mark;
  if (!LooksLikePicture(path, mark)) {
    try {
      LoadImage(path);  // has the words for what is wrong
    } catch (const OutOfMemory&) {
      throw;
    } catch (const Error& error) {
      look.error = error.what();
    }
  }
  look.content = mark.value();
  return look;
}

// In the order of the classes and their files.
std::vector<Look> LookAtAll(const Side& all, const FindOptions& options) {
  std::vector<const fs::path*> files;
  for (const auto& [name, paths] : all.classes) {
    for (const fs::path& path : paths) files.push_back(&path);
  }
  constexpr std::size_t kAtOnce = 256;
  std::vector<Look> looks(files.size());
  ThreadPool pool(options.threads);
  for (std::size_t begin = 0; begin < files.size(); begin += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, files.size() - begin);
    RunOrThrow(pool, static_cast<int>(count),
               [&](int i, int) { looks[begin + i] = LookAt(*files[begin + i]); });
    if (options.looking) options.looking(begin + count, files.size());
  }
  return looks;
}

// A number in [0, 1) that depends on what is in the picture's file, not on what else there is: a picture that
// is held out stays so when others are added, and what was trained on is never validated with.
double PlaceOf(std::uint64_t content, std::uint64_t seed) { return Random(seed, content).Uniform(); }

// Since each picture's side hangs on itself, the share of a small class is as it falls: it may even have no
// pictures to validate with, but some to train on it needs.
void CheckClass(const std::string& shown, const std::string& name, std::size_t training, std::size_t held_out,
                const std::string& error) {
  if (training > 0) return;
  if (held_out == 0) Fail(shown, ": none of the pictures of the class \"", name, "\" can be read: ", error);
  Fail(shown, ": ", held_out == 1 ? "the one picture" : Concat("all ", held_out, " pictures"),
       " of the class \"", name,
       "\" would be held out to validate with, expected some to train on: add pictures, or draw with another "
       "seed");
}

}  // namespace

Drawn Draw(const Side& all, double share, std::uint64_t seed, const FindOptions& options) {
  if (!(share > 0 && share < 1))
    Fail("a validation share of ", share, ", expected more than 0 and less than 1");
  Drawn drawn = {{all.shown, all.origin, {}}, {all.shown, all.origin, {}}, {}};
  const std::vector<Look> looks = LookAtAll(all, options);
  auto look = looks.begin();
  for (const auto& [name, files] : all.classes) {
    auto& training = drawn.training.classes[name];
    auto& validation = drawn.validation.classes[name];
    for (const fs::path& file : files) {
      const Look& here = *look++;
      if (!here.error.empty()) {
        drawn.unreadable.push_back(here.error);
      } else {
        (PlaceOf(here.content, seed) < share ? validation : training).push_back(file);
      }
    }
    CheckClass(all.shown, name, training.size(), validation.size(),
               drawn.unreadable.empty() ? "" : drawn.unreadable.back());
  }
  if (drawn.validation.pictures() == 0)
    Fail(all.shown,
         ": none of its pictures would be held out to validate with, expected one at least: add pictures, "
         "a larger share, or another seed");
  return drawn;
}

}  // namespace mobilenet
