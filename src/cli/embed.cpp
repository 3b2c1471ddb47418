// mobilenet embed: photos in, vectors out.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/signature.h"
#include "cli/command.h"
#include "cli/embedding_file.h"
#include "cli/pictures.h"
#include "report/progress.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct EmbedArguments {
  std::string model;
  bool offline = false;
  std::vector<std::string> inputs;
  std::string out;
  std::string layer;
  PictureArguments pictures;
  bool json = false;
};

// What is there already must be embeddings, too. A list of names has nothing to be told by but the .npy
// beside it.
void CheckReplaces(const std::string& out) {
  switch (EmbeddingFormatOf(out)) {
    case EmbeddingFormat::kCsv:
      return CheckReplaceable(out, "a table of embeddings", BeginsWith("file,0"));
    case EmbeddingFormat::kJson:
      return CheckReplaceable(out, "a list of embeddings", BeginsWith("{\"file\":"));
    case EmbeddingFormat::kNpy: {
      CheckReplaceable(out, "an array of NumPy's", BeginsWith("\x93NUMPY"));
      const std::filesystem::path names = EmbeddingFile::NamesOf(out);
      if (!std::filesystem::exists(out) && std::filesystem::exists(names))
        throw Error(names.string() +
                    ": is there already, and would hold the photos' names: remove it, or give "
                    "another name");
      return;
    }
  }
}

// Nobody's photo is written over.
void CheckOut(const std::string& out, const std::vector<std::filesystem::path>& files) {
  if (out.empty()) return;
  const bool npy = EmbeddingFormatOf(out) == EmbeddingFormat::kNpy;
  for (const std::filesystem::path& file : files) {
    if (SamePlace(file, out) || (npy && SamePlace(file, EmbeddingFile::NamesOf(out))))
      throw Error(file.string() + ": is to be both a photo and the embeddings");
  }
  CheckReplaces(out);
}

EmbeddingFile OpenOut(const EmbedArguments& options, std::size_t values) {
  if (!options.out.empty()) return {EmbeddingFormatOf(options.out), values, options.out};
  return {options.json ? EmbeddingFormat::kJson : EmbeddingFormat::kCsv, values, std::nullopt};
}

void Run(const EmbedArguments& options, int& status) {
  if (options.json && !options.out.empty())
    throw Error("--json is for standard output: name OUT with the end .json");
  const Model model = ModelFrom(options.model, options.offline);
  const auto files = PicturesOf(options.inputs, [&](const std::string&, const std::string& complaint) {
    PrintError(complaint);
    status = kFailure;
  });
  CheckOut(options.out, files);
  const Shape shape = EmbeddingShape(model.network, options.layer);
  EmbeddingFile out = OpenOut(options, static_cast<std::size_t>(shape.size()));
  Progress progress(files.size(), "photos");
  std::size_t failed = 0;
  const auto add = [&](const Embedding& embedding) {
    progress.Clear();
    const std::string file = files[embedding.index].string();
    if (embedding.error.empty()) {
      out.Add(file == kStdinFile ? kStdin : file, embedding.values);
    } else {
      PrintError(embedding.error);
      ++failed;
    }
    progress.Advance();
  };
  EmbedFiles(model, files, options.pictures.ForFiles(), add, options.layer);
  progress.Clear();
  if (failed == files.size()) throw Error("no photo could be embedded");
  out.Finish();
  if (failed > 0) {
    status = kFailure;
    PrintError(fmt::format("{} of {} photos could not be embedded", failed, files.size()));
  }
  if (!options.out.empty())
    fmt::print("{}: {} of {} values each\n", Printable(options.out), Counted(files.size() - failed, "photo"),
               shape.size());
}

}  // namespace

void AddEmbed(CLI::App& program, int& status) {
  auto options = std::make_shared<EmbedArguments>();
  CLI::App* command =
      program.add_subcommand("embed", "Turn photos into vectors: the network's pooled features");
  command
      ->add_option(
          "inputs", options->inputs,
          fmt::format("Photos ({}), folders of them, or - for one on standard input", PictureFormats()))
      ->required()
      ->type_name("IMAGE|DIR|-");
  AddModel(*command, options->model, options->offline);
  RequireText(
      command->add_option("--out", options->out,
                          "The file to write: .npy (and a .txt of the photos' names), .csv, or .json, a line "
                          "a photo; by default CSV goes to standard output"))
      ->type_name("FILE");
  RequireText(
      command->add_option(
          "--layer", options->layer,
          "The layer whose map to write, as `cost --model M --layers` names it; by default the average "
          "over the last map"))
      ->type_name("NAME");
  AddPictureArguments(*command, options->pictures);
  command->add_flag("--json", options->json, "One JSON object a photo and line, on standard output");
  command->footer(
      "Example: the features of a folder of photos, for NumPy\n"
      "  mobilenet embed --model flowers.safetensors holiday --out holiday.npy");
  command->callback([options, &status] { Run(*options, status); });
}

}  // namespace mobilenet::cli
