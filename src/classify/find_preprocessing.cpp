#include "mobilenet/find_preprocessing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "classify/labelled.h"
#include "image/normalise.h"
#include "mobilenet/runtime.h"

namespace mobilenet {
namespace {

// What one photo says of one preprocessing.
struct Score {
  bool right = false;
  double log_likelihood = 0;
};
using Scores = std::vector<Score>;  // of one photo: one for each preprocessing

double LogSigmoid(double x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }

double LogSoftmax(std::span<const float> logits, std::size_t label) {
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - most);
  return logits[label] - most - std::log(sum);
}

// The logarithm of the probability of `label`, and of independent labels that of its being the only one; and
// whether it is the first answer. One output tells two classes apart.
Score ScoreOf(std::span<const float> logits, int label, Answers answers) {
  const auto wanted = static_cast<std::size_t>(label);
  Score score;
  if (logits.size() == 1) {
    score.log_likelihood = LogSigmoid(label == 1 ? logits[0] : -logits[0]);
    score.right = (logits[0] > 0) == (label == 1);
  } else {
    score.right = std::ranges::max_element(logits) - logits.begin() == label;
    if (answers == Answers::kSoftmax) {
      score.log_likelihood = LogSoftmax(logits, wanted);
    } else {
      for (std::size_t i = 0; i < logits.size(); ++i)
        score.log_likelihood += LogSigmoid(i == wanted ? logits[i] : -logits[i]);
    }
  }
  constexpr double kLeast = -1000;  // where the network's answer is not finite, too
  if (!(score.log_likelihood > kLeast)) score = {false, kLeast};
  return score;
}

// Runs one network on photos; belongs to one thread at a time.
class Trial {
 public:
  Trial(const Plan& plan, Answers answers)
      : runner_(plan),
        answers_(answers),
        shape_(plan.input()),
        input_(static_cast<std::size_t>(plan.input().size())),
        logits_(static_cast<std::size_t>(plan.output().size())) {}

  // The photo is decoded once for all that take it in the same size, and resized once for all that see it
  // alike.
  Scores Of(const Sample& sample, std::span<const Preprocessing> all, std::size_t max_pixels) {
    Scores scores(all.size());
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), 0);
    const auto seen = [&](std::size_t i) {
      const DecodeOptions decode = DecodeOptionsFor(all[i], shape_.width, shape_.height);
      return std::tuple(decode.target_width, decode.target_height, all[i].filter, all[i].shape, all[i].crop);
    };
    std::ranges::stable_sort(order, {}, seen);
    Image photo;
    Image resized;
    for (std::size_t k = 0; k < order.size(); ++k) {
      const Preprocessing& p = all[order[k]];
      const bool same = k > 0 && seen(order[k]) == seen(order[k - 1]);
      if (!same) {
        DecodeOptions decode = DecodeOptionsFor(p, shape_.width, shape_.height);
        decode.max_pixels = max_pixels;
        const bool decoded = k > 0 && std::get<0>(seen(order[k])) == std::get<0>(seen(order[k - 1])) &&
                             std::get<1>(seen(order[k])) == std::get<1>(seen(order[k - 1]));
        if (!decoded) photo = LoadImage(sample.file, decode);
        resized = Resize(photo, shape_.width, shape_.height, p.filter,
                         CropBox(photo.width, photo.height, p, shape_.width, shape_.height));
      }
      Normalise(resized, p, shape_.channels, input_);
      if (!runner_.Run(input_, logits_)) Fail("the network's input and output don't fit its plan");
      scores[order[k]] = ScoreOf(logits_, sample.label, answers_);
    }
    return scores;
  }

 private:
  Runner runner_;
  Answers answers_;
  Shape shape_;
  std::vector<float> input_;
  std::vector<float> logits_;
};

// Mean and scale stay with their colours.
Preprocessing Reversed(Preprocessing p) {
  p.order = p.order == ChannelOrder::kRgb ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  std::swap(p.mean[0], p.mean[2]);
  std::swap(p.scale[0], p.scale[2]);
  return p;
}

bool SamePixels(const Preprocessing& a, const Preprocessing& b) {
  return a.order == b.order && PresetName(a) == PresetName(b) &&
         (PresetName(a) != "custom" || (a.mean == b.mean && a.scale == b.scale));
}

// All with the first preset's crop and filter.
std::vector<Preprocessing> Normalisations(const Model& model) {
  const Preprocessing usual;
  std::vector<Preprocessing> all;
  const auto add = [&](Preprocessing p) {
    p.crop = usual.crop;
    p.shape = usual.shape;
    p.filter = usual.filter;
    const auto same = [&](const Preprocessing& other) { return SamePixels(p, other); };
    if (std::ranges::none_of(all, same)) all.push_back(p);
  };
  const bool colour = model.network.input.channels == 3;
  for (const char* name : {"tensorflow", "unit", "pytorch", "caffe", "raw"}) {
    add(PreprocessingPreset(name));
    if (colour) add(Reversed(PreprocessingPreset(name)));
  }
  add(model.preprocessing);
  if (colour) add(Reversed(model.preprocessing));
  return all;
}

// The most usual ones first.
std::vector<Preprocessing> CropsAndFilters(Preprocessing p) {
  std::vector<Preprocessing> all;
  for (const CropShape shape : {CropShape::kStretch, CropShape::kSquare}) {
    for (const float crop : {0.875F, 1.0F}) {
      for (const ResizeFilter filter :
           {ResizeFilter::kBilinear, ResizeFilter::kBicubic, ResizeFilter::kLanczos, ResizeFilter::kArea,
            ResizeFilter::kNearest, ResizeFilter::kBilinearUnaliased}) {
        p.shape = shape;
        p.crop = crop;
        p.filter = filter;
        all.push_back(p);
      }
    }
  }
  return all;
}

// What the photos say of one preprocessing compared with another: a sum over them and its standard error.
struct Difference {
  double sum = 0;
  double error = 0;
};

template <typename Value>
Difference Compare(const std::vector<Scores>& photos, std::size_t a, std::size_t b, const Value& value) {
  Difference d;
  double squares = 0;
  const auto count = static_cast<double>(photos.size());
  for (const Scores& scores : photos) {
    const double one = value(scores[a]) - value(scores[b]);
    d.sum += one;
    squares += one * one;
  }
  d.error = std::sqrt(std::max(0.0, squares - d.sum * d.sum / count));
  return d;
}

double Likelihood(const Score& score) { return score.log_likelihood; }
double Right(const Score& score) { return score.right ? 1 : 0; }

// One round: every preprocessing on every photo.
class Round {
 public:
  Round(std::vector<Preprocessing> all, std::vector<Scores> photos)
      : all_(std::move(all)), photos_(std::move(photos)) {}

  [[nodiscard]] std::vector<TriedPreprocessing> Tried() const {
    std::vector<TriedPreprocessing> tried;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      TriedPreprocessing one = {all_[i]};
      for (const Scores& scores : photos_) {
        one.right += scores[i].right ? 1 : 0;
        one.log_likelihood += scores[i].log_likelihood / static_cast<double>(photos_.size());
      }
      tried.push_back(one);
    }
    return tried;
  }

  // The greatest likelihood among those, but `without`, that are right as often as the one that is right most
  // often, but for chance: two standard errors of the difference, photo by photo.
  [[nodiscard]] std::size_t Best(std::size_t without) const {
    const std::vector<TriedPreprocessing> tried = Tried();
    std::size_t most = without == 0 ? 1 : 0;
    for (std::size_t i = 0; i < tried.size(); ++i) {
      if (i != without && tried[i].right > tried[most].right) most = i;
    }
    std::size_t best = most;
    for (std::size_t i = 0; i < tried.size(); ++i) {
      const Difference worse = Compare(photos_, most, i, Right);
      if (i != without && worse.sum <= 2 * worse.error &&
          tried[i].log_likelihood > tried[best].log_likelihood)
        best = i;
    }
    return best;
  }

  [[nodiscard]] bool WithinChance(std::size_t a, std::size_t b) const {
    const Difference d = Compare(photos_, a, b, Likelihood);
    return std::abs(d.sum) <= 2 * d.error;
  }

  // The first that is not worse than `best` by more than chance, in likelihood and in right answers.
  [[nodiscard]] std::size_t MostUsual(std::size_t best) const {
    for (std::size_t i = 0; i < best; ++i) {
      const Difference worse = Compare(photos_, best, i, Right);
      if (WithinChance(best, i) && worse.sum <= 2 * worse.error) return i;
    }
    return best;
  }

  // `best` and the best of the others, as places in a list where this round's begin at `offset`.
  [[nodiscard]] FoundPreprocessing::Choice ChoiceOf(std::size_t best, std::size_t offset) const {
    const std::size_t second = Best(best);
    return {offset + best, offset + second, WithinChance(best, second)};
  }

  [[nodiscard]] const Preprocessing& At(std::size_t i) const { return all_[i]; }

 private:
  std::vector<Preprocessing> all_;
  std::vector<Scores> photos_;
};

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

class Search {
 public:
  Search(const Model& model, std::span<const Sample> samples, const FindPreprocessingOptions& options,
         const std::function<void(const FindPreprocessingProgress&)>& progress)
      : samples_(samples.begin(), samples.end()),
        options_(options),
        progress_(progress),
        pool_(options.threads),
        plan_(model.network, model.weights) {
    for (int i = 0; i < options.threads; ++i) trials_.emplace_back(plan_, model.answers);
    told_.total = 2 * samples_.size();
  }

  // Photos that can't be read are told of, counted, and left away from then on.
  Round Run(const std::vector<Preprocessing>& all) {
    std::vector<Scores> photos;
    std::vector<Sample> readable;
    const std::size_t at_once = trials_.size() * 2;
    for (std::size_t begin = 0; begin < samples_.size(); begin += at_once) {
      const std::size_t count = std::min(at_once, samples_.size() - begin);
      std::vector<Scores> some(count);
      std::vector<std::string> errors(count);
      pool_.Run(static_cast<int>(count), [&](int i, int thread) {
        const auto at = static_cast<std::size_t>(i);
        try {
          some[at] =
              trials_[static_cast<std::size_t>(thread)].Of(samples_[begin + at], all, options_.max_pixels);
        } catch (const std::exception& error) {
          errors[at] = error.what();
        }
      });
      for (std::size_t i = 0; i < count; ++i) {
        Tell(errors[i]);
        if (!errors[i].empty()) continue;
        photos.push_back(std::move(some[i]));
        readable.push_back(samples_[begin + i]);
      }
    }
    if (photos.empty()) Fail("there is no photo to try that can be read");
    samples_ = std::move(readable);
    return {all, std::move(photos)};
  }

  [[nodiscard]] int images() const { return static_cast<int>(samples_.size()); }

 private:
  void Tell(const std::string& error) {
    ++told_.done;
    if (!error.empty()) --told_.total;
    told_.error = error;
    if (progress_) progress_(told_);
  }

  std::vector<Sample> samples_;
  FindPreprocessingOptions options_;
  const std::function<void(const FindPreprocessingProgress&)>& progress_;
  ThreadPool pool_;
  Plan plan_;
  std::vector<Trial> trials_;
  FindPreprocessingProgress told_;
};

// More right answers than guessing makes but once in fifty times, by a Poisson distribution's two deviations.
void CheckBetterThanGuesses(int right, int images, int classes) {
  const double guessed = static_cast<double>(images) / classes;
  if (right > 0 && right > guessed + 2 * std::sqrt(guessed)) return;
  Fail("whatever is tried, at most ", right, " of ", images,
       " photos are answered rightly, which guesses do: expected photos "
       "of the model's classes, with its labels");
}

FoundPreprocessing Find(const Model& model, std::span<const Sample> samples,
                        const FindPreprocessingOptions& options,
                        const std::function<void(const FindPreprocessingProgress&)>& progress) {
  Search search(model, samples, options, progress);
  const Round first = search.Run(Normalisations(model));
  const std::size_t pixels = first.Best(kNone);
  const Round second = search.Run(CropsAndFilters(first.At(pixels)));
  FoundPreprocessing found;
  found.tried = first.Tried();
  found.normalisations = found.tried.size();
  found.pixels = first.ChoiceOf(pixels, 0);
  found.resize = second.ChoiceOf(second.MostUsual(second.Best(kNone)), found.tried.size());
  const std::vector<TriedPreprocessing> resized = second.Tried();
  found.tried.insert(found.tried.end(), resized.begin(), resized.end());
  found.images = search.images();
  found.failed = static_cast<int>(samples.size()) - found.images;
  CheckBetterThanGuesses(found.tried[found.resize.best].right, found.images, model.classes());
  return found;
}

}  // namespace

const Preprocessing& FoundPreprocessing::preprocessing() const { return tried.at(resize.best).preprocessing; }

FoundPreprocessing FindPreprocessing(const Model& model, std::span<const Sample> samples,
                                     const FindPreprocessingOptions& options,
                                     const std::function<void(const FindPreprocessingProgress&)>& progress) {
  CheckThreads(options.threads);
  CheckNetwork(model.network);
  CheckClassifies(model.network);
  CheckPreprocessing(model.preprocessing);
  FilesOf(model, samples);  // which checks the labels
  return OrOutOfMemory("the photos", [&] { return Find(model, samples, options, progress); });
}

}  // namespace mobilenet
