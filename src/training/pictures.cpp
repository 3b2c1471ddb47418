#include "training/pictures.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "base/fail.h"
#include "base/fingerprint.h"
#include "image/shrink.h"
#include "training/run_or_throw.h"

namespace mobilenet {
namespace {

// Pictures that are kept whole are shrunk first, unless the filter that resizes their crops would see that.
bool Shrinks(const KeptForm& form) { return form.whole && !SeesSinglePixels(form.preprocessing.filter); }

DecodeOptions DecodeFor(const KeptForm& form) {
  DecodeOptions options;
  if (!form.whole) options = DecodeOptionsFor(form.preprocessing, form.width, form.height);
  if (Shrinks(form)) options = {.target_width = form.side, .target_height = form.side};
  options.max_pixels = form.max_pixels;
  return options;
}

Image Keep(const Image& image, const KeptForm& form) {
  if (!form.whole) {
    return Resize(image, form.width, form.height, form.preprocessing.filter,
                  CropBox(image.width, image.height, form.preprocessing, form.width, form.height));
  }
  const int shorter = std::min(image.width, image.height);
  if (shorter <= form.side || !Shrinks(form)) return image;
  return Shrink(image, static_cast<double>(form.side) / shorter);
}

constexpr std::size_t kAtOnce = 64;

}  // namespace

Pictures::Pictures(std::vector<Sample> samples, const KeptForm& form, std::size_t budget, ThreadPool& pool,
                   const Reading& reading)
    : form_(form) {
  std::vector<Image> images(kAtOnce);
  std::vector<std::string> errors(kAtOnce);
  std::vector<std::uint64_t> fingerprints(kAtOnce);
  Fingerprint names;
  Fingerprint pixels;
  bool full = false;
  for (std::size_t begin = 0; begin < samples.size(); begin += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, samples.size() - begin);
    RunOrThrow(pool, static_cast<int>(count), [&](int i, int) {
      errors[i].clear();
      try {
        images[i] = Keep(LoadImage(samples[begin + i].file, DecodeFor(form_)), form_);
        Fingerprint fingerprint;
        fingerprint.Add(images[i].pixels);
        fingerprints[i] = fingerprint.value();
      } catch (const OutOfMemory&) {  // the picture is not to blame
        throw;
      } catch (const std::bad_alloc&) {
        throw OutOfMemory(samples[begin + i].file.native() +
                          ": there is no memory left to read it: give a smaller cache, or smaller inputs");
      } catch (const std::exception& error) {
        errors[i] = dynamic_cast<const Error*>(&error) != nullptr
                        ? error.what()
                        : Concat(samples[begin + i].file.string(), ": can't be read: ", error.what());
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      if (!errors[i].empty()) {
        reading.warning(errors[i]);
        continue;
      }
      names.Add(Concat(samples[begin + i].label, "/", samples[begin + i].file.filename().string()));
      pixels.Add(std::to_string(fingerprints[i]));
      samples_.push_back(std::move(samples[begin + i]));
      full = full || bytes_ + images[i].pixels.size() > budget;
      if (full) continue;
      bytes_ += images[i].pixels.size();
      kept_.push_back(std::move(images[i]));
    }
    reading.progress(begin + count);
  }
  names_ = names.Text();
  pixels_ = pixels.Text();
}

const Image& Pictures::Get(std::size_t index, Image& buffer) const {
  if (index < kept_.size()) return kept_[index];
  buffer = Keep(LoadImage(samples_[index].file, DecodeFor(form_)), form_);
  return buffer;
}

}  // namespace mobilenet
