// What is wrong with pictures before a network is trained on them.
#include <algorithm>
#include <exception>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "base/few.h"
#include "base/thread_pool.h"
#include "mobilenet/training.h"
#include "training/likeness.h"
#include "training/run_or_throw.h"

namespace mobilenet {
namespace {

constexpr std::size_t kFew = 10;           // pictures of a class
constexpr std::size_t kTimesFewer = 10;    // than the largest class
constexpr std::size_t kEnough = 5000;      // pictures to train on from nothing,
constexpr std::size_t kEnoughEach = 1000;  // and of each class

std::vector<std::size_t> CountsOf(const TrainingData& data) {
  std::vector<std::size_t> counts(data.classes.size());
  for (const Sample& sample : data.training) ++counts[static_cast<std::size_t>(sample.label)];
  return counts;
}

// The classes with a number of pictures that `is_odd`, with it: "rose (3)".
template <typename Odd>
std::vector<std::string> ClassesWith(const TrainingData& data, const std::vector<std::size_t>& counts,
                                     const Odd& is_odd) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (is_odd(counts[c])) names.push_back(Concat(data.classes[c], " (", counts[c], ")"));
  }
  return names;
}

std::string Classes(std::size_t count) {
  return count == 1 ? "one class has" : Concat(count, " classes have");
}

void ExamineClasses(const TrainingData& data, std::vector<std::string>& found) {
  const std::vector<std::size_t> counts = CountsOf(data);
  const auto few = ClassesWith(data, counts, [](std::size_t count) { return count < kFew; });
  if (!few.empty())
    found.push_back(Concat(Classes(few.size()), " fewer than ", kFew,
                           " pictures to train on, which is too few to learn from: ", Few(few)));
  const std::size_t most = counts.empty() ? 0 : std::ranges::max(counts);
  const auto rare = ClassesWith(
      data, counts, [&](std::size_t count) { return count >= kFew && count * kTimesFewer <= most; });
  if (!rare.empty())
    found.push_back(Concat(Classes(rare.size()),
                           " a tenth of the pictures of the largest or less, and will rarely be the answer, "
                           "unless --balance lets them "
                           "count as much; the largest has ",
                           most, ": ", Few(rare)));
}

void ExamineAmount(const TrainingData& data, const TrainingOptions& options,
                   std::vector<std::string>& found) {
  const std::size_t count = data.training.size();
  if (options.from || data.classes.empty()) return;
  if (count >= kEnough && count >= kEnoughEach * data.classes.size()) return;
  found.push_back(
      Concat(count, " pictures, about ", count / data.classes.size(),
             " of each class, are few to train on from nothing, which takes thousands of each: with "
             "--from, a model that knows other things is a better start"));
}

// All pictures in one row: those to train on, to validate and to test with.
class Row {
 public:
  explicit Row(const TrainingData& data)
      : training_(data.training.size()), validation_(data.validation.size()) {
    for (const auto* samples : {&data.training, &data.validation, &data.test}) {
      for (const Sample& sample : *samples) samples_.push_back(&sample);
    }
  }

  [[nodiscard]] std::size_t size() const { return samples_.size(); }
  [[nodiscard]] const Sample& operator[](std::size_t i) const { return *samples_[i]; }
  [[nodiscard]] bool trains(std::size_t i) const { return i < training_; }
  [[nodiscard]] bool validates(std::size_t i) const { return !trains(i) && i < training_ + validation_; }

 private:
  std::size_t training_;
  std::size_t validation_;
  std::vector<const Sample*> samples_;
};

bool IsAsked(const std::function<bool()>& stop) { return stop && stop(); }

// Fewer where a stop is asked for.
std::vector<Likeness> LikenessesOf(const Row& row, std::size_t max_pixels, ThreadPool& pool,
                                   const TrainingObserver& observer) {
  constexpr std::size_t kAtOnce = 64;
  DecodeOptions decode = DecodeForLikeness();
  decode.max_pixels = max_pixels;
  std::vector<Likeness> likenesses(row.size());
  for (std::size_t begin = 0; begin < row.size() && !IsAsked(observer.stop); begin += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, row.size() - begin);
    RunOrThrow(pool, static_cast<int>(count), [&](int i, int) {
      try {
        const std::size_t at = begin + static_cast<std::size_t>(i);
        likenesses[at] = LikenessOf(LoadImage(row[at].file, decode));
      } catch (const OutOfMemory&) {
        throw;
      } catch (const Error&) {  // it is told of when it is to be used
      }
    });
    if (observer.preparing)
      observer.preparing("looking for pictures that are there twice", begin + count, row.size());
  }
  return likenesses;
}

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

// Each picture that `first` has another for, where `belongs`.
template <typename Belongs>
Pairs PairsIn(const std::vector<std::size_t>& first, const Belongs& belongs) {
  Pairs pairs;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] != i && belongs(i)) pairs.emplace_back(i, first[i]);
  }
  return pairs;
}

std::string Named(const Row& row, const Pairs& pairs) {
  constexpr std::size_t kNamed = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kNamed, pairs.size()); ++i) {
    text += Concat(i == 0 ? "" : "; ", row[pairs[i].first].file.string(), " and ",
                   row[pairs[i].second].file.string());
  }
  return pairs.size() > kNamed ? text + "; ..." : text;
}

// Pictures that are held out, and are trained on too.
void TellShared(const Row& row, const Pairs& pairs, std::size_t of, const char* purpose,
                std::vector<std::string>& found) {
  if (pairs.empty()) return;
  found.push_back(
      Concat(pairs.size(), " of the ", of, " pictures to ", purpose, pairs.size() == 1 ? " is" : " are",
             " the same, or nearly, as one to train on, so that the accuracy will look better than it "
             "is: remove them from one side (",
             Named(row, pairs), ")"));
}

void ExamineCopies(const TrainingData& data, const TrainingOptions& options, const TrainingObserver& observer,
                   std::vector<std::string>& found) {
  const Row row(data);
  ThreadPool pool(options.threads);
  const std::vector<Likeness> likenesses = LikenessesOf(row, options.max_pixels, pool, observer);
  if (IsAsked(observer.stop)) return;
  const auto shared = FirstAlike(likenesses, pool, [&row](std::size_t i, std::size_t before) {
    return !row.trains(i) && row.trains(before);
  });
  TellShared(row, PairsIn(shared, [&row](std::size_t i) { return row.validates(i); }), data.validation.size(),
             "validate with", found);
  TellShared(row, PairsIn(shared, [&row](std::size_t i) { return !row.validates(i); }), data.test.size(),
             "test with", found);
  const auto twice = FirstAlike(likenesses, pool, [&row](std::size_t i, std::size_t before) {
    return row[i].label != row[before].label;
  });
  const Pairs pairs = PairsIn(twice, [](std::size_t) { return true; });
  if (pairs.empty()) return;
  found.push_back(
      Concat(pairs.size(), pairs.size() == 1 ? " picture is" : " pictures are",
             " the same, or nearly, as one of another class, and one of the two classes is wrong (",
             Named(row, pairs), ")"));
}

}  // namespace

std::vector<std::string> Examine(const TrainingData& data, const TrainingOptions& options,
                                 const TrainingObserver& observer) {
  CheckThreads(options.threads);
  return OrOutOfMemory("examining the pictures", [&] {
    std::vector<std::string> found;
    ExamineClasses(data, found);
    ExamineAmount(data, options, found);
    ExamineCopies(data, options, observer, found);
    return found;
  });
}

}  // namespace mobilenet
