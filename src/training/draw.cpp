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
// is held out stays so when others are added, but for one that was held out for want of another, and what was
// trained on is never validated with.
double PlaceOf(std::uint64_t content, std::uint64_t seed) { return Random(seed, content).Uniform(); }

// A picture that can be read.
struct Placed {
  double place;
  fs::path file;
};

// Each class has pictures on both sides, whatever the share: at least the first by place is held out, and the
// last is not. Copies have one place.
void Divide(const std::vector<Placed>& pictures, double share, std::vector<fs::path>& training,
            std::vector<fs::path>& validation) {
  const auto [first, last] = std::ranges::minmax(pictures, {}, &Placed::place);
  for (const Placed& picture : pictures) {
    const bool held_out =
        picture.place == first.place || (picture.place < share && picture.place != last.place);
    (held_out ? validation : training).push_back(picture.file);
  }
}

void CheckClass(const std::string& shown, const std::string& name, const std::vector<Placed>& pictures,
                const std::string& error) {
  if (pictures.empty())
    Fail(shown, ": none of the pictures of the class \"", name, "\" can be read: ", error);
  if (std::ranges::all_of(pictures, [&](const Placed& each) { return each.place == pictures.front().place; }))
    Fail(shown, ": the class \"", name, "\" has ",
         pictures.size() == 1 ? "one picture" : Concat(pictures.size(), " copies of one picture"),
         ", expected two at least: one to train on and one to validate with");
}

}  // namespace

Drawn Draw(const Side& all, double share, std::uint64_t seed, const FindOptions& options) {
  if (!(share > 0 && share < 1))
    Fail("a validation share of ", share, ", expected more than 0 and less than 1");
  Drawn drawn = {{all.shown, all.origin, {}}, {all.shown, all.origin, {}}, {}};
  const std::vector<Look> looks = LookAtAll(all, options);
  auto look = looks.begin();
  for (const auto& [name, files] : all.classes) {
    std::vector<Placed> pictures;
    for (const fs::path& file : files) {
      const Look& here = *look++;
      if (here.error.empty()) {
        pictures.push_back({PlaceOf(here.content, seed), file});
      } else {
        drawn.unreadable.push_back(here.error);
      }
    }
    CheckClass(all.shown, name, pictures, drawn.unreadable.empty() ? "" : drawn.unreadable.back());
    Divide(pictures, share, drawn.training.classes[name], drawn.validation.classes[name]);
  }
  return drawn;
}

}  // namespace mobilenet
