// mobilenet similar: the photos that look most like one.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/number.h"
#include "cli/pictures.h"
#include "report/progress.h"
#include "report/similar_page.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct SimilarArguments {
  std::string model;
  bool offline = false;
  std::string query;
  std::vector<std::string> inputs;
  int top = 10;
  PictureArguments pictures;
  bool json = false;
  std::string html;
};

// The best so far, the most alike first; of equals, those that came first.
class Best {
 public:
  explicit Best(int top) : top_(static_cast<std::size_t>(top)) {}

  void Add(const std::filesystem::path& file, double similarity) {
    const auto place = std::ranges::upper_bound(all_, similarity, std::greater(), &SimilarPhoto::similarity);
    if (static_cast<std::size_t>(place - all_.begin()) == top_) return;
    all_.insert(place, {file, similarity});
    if (all_.size() > top_) all_.pop_back();
  }

  [[nodiscard]] const std::vector<SimilarPhoto>& all() const { return all_; }

 private:
  std::size_t top_;
  std::vector<SimilarPhoto> all_;
};

// The query itself is no photo that looks like it.
std::vector<std::filesystem::path> FilesOf(const SimilarArguments& options, int& status) {
  auto files = PicturesOf(options.inputs, [&](const std::string&, const std::string& complaint) {
    PrintError(complaint);
    status = kFailure;
  });
  if (std::ranges::find(files, kStdinFile) != files.end())
    throw Error("- (standard input) can be the query alone");
  std::erase_if(files, [&](const auto& file) { return SamePlace(file, options.query); });
  return files;
}

void PrintPhotos(const SimilarArguments& options, const std::vector<SimilarPhoto>& best) {
  if (options.json) {
    auto photos = nlohmann::ordered_json::array();
    for (const SimilarPhoto& photo : best)
      photos.push_back({{"file", photo.file.string()}, {"similarity", photo.similarity}});
    return PrintJson({{"query", options.query}, {"photos", photos}});
  }
  Table table({">similarity", "photo"});
  for (const SimilarPhoto& photo : best)
    table.Add({fmt::format("{:.3f}", photo.similarity), Printable(photo.file.string())});
  fmt::print("{}", table.Text());
}

void CheckHtml(const SimilarArguments& options, const std::vector<std::filesystem::path>& files) {
  if (options.html.empty()) return;
  if (options.query == kStdin)
    throw Error("--html reads photos twice, and can't with - (standard input): name a file");
  if (SamePlace(options.query, options.html) ||
      std::ranges::any_of(files, [&](const auto& file) { return SamePlace(file, options.html); }))
    throw Error(options.html + ": is to be both a photo and the page");
  CheckPage(options.html);
}

void Run(const SimilarArguments& options, const std::string& command, int& status) {
  const Model model = ModelFrom(options.model, options.offline);
  const auto files = FilesOf(options, status);
  CheckHtml(options, files);
  if (files.empty()) throw Error("there are no photos to compare with");
  // The query comes first, so that one plan serves all.
  std::vector<std::filesystem::path> all = {options.query == kStdin ? kStdinFile : options.query};
  all.insert(all.end(), files.begin(), files.end());
  std::vector<float> query;
  Progress progress(files.size(), "photos");
  Best best(options.top);
  std::size_t failed = 0;
  EmbedFiles(model, all, options.pictures.ForFiles(), [&](const Embedding& embedding) {
    if (embedding.index == 0) {
      if (!embedding.error.empty()) throw Error(embedding.error);
      query = embedding.values;
      return;
    }
    if (embedding.error.empty()) {
      best.Add(all[embedding.index], CosineSimilarity(query, embedding.values));
    } else {
      progress.Clear();
      PrintError(embedding.error);
      ++failed;
    }
    progress.Advance();
  });
  progress.Clear();
  if (failed > 0) {
    status = kFailure;
    PrintError(fmt::format("{} of {} photos could not be read", failed, files.size()));
  }
  PrintPhotos(options, best.all());
  if (!options.html.empty())
    WritePage(SimilarPage(options.query, best.all(), options.pictures.max_pixels, command), options.html,
              options.json);
}

}  // namespace

void AddSimilar(CLI::App& program, int& status) {
  auto options = std::make_shared<SimilarArguments>();
  CLI::App* command = program.add_subcommand("similar", "Find the photos that look most like one");
  command->add_option("query", options->query, "The photo to look for, or - for one on standard input")
      ->required()
      ->type_name("IMAGE|-");
  command->add_option("inputs", options->inputs, "Photos, or folders of them, to look through")
      ->required()
      ->type_name("IMAGE|DIR");
  AddModel(*command, options->model, options->offline);
  AddNumber(*command, "--top", options->top, "Photos to name", {1, 10'000});
  AddPictureArguments(*command, options->pictures);
  command->add_flag("--json", options->json, "One JSON object");
  AddHtml(*command, options->html)->description("Also write a page of these photos");
  command->footer(
      "Example: the five photos of a folder that look most like one\n"
      "  mobilenet similar --model flowers.safetensors rose.jpg holiday --top 5");
  command->callback([options, command, &status] { Run(*options, CommandLine(*command), status); });
}

}  // namespace mobilenet::cli
