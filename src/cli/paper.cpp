// mobilenet paper: the countable columns of the MobileNet papers, computed again.
#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/number.h"
#include "report/pages.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct PaperArguments {
  std::string version = "v1";
  int table = 0;
  bool json = false;
  std::string html;
  std::string command;  // as CommandLine gives it
};

void PrintPaperJson(const Paper& paper) {
  auto json = nlohmann::ordered_json::array();
  for (const PaperTable& table : paper.tables) {
    auto rows = nlohmann::ordered_json::array();
    for (const PaperRow& row : table.rows) {
      auto cells = nlohmann::ordered_json::array();
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        const PaperCell& cell = row.cells[i];
        cells.push_back(
            {{"column", table.columns[i]}, {"paper", cell.paper}, {"ours", cell.ours}, {"note", cell.note}});
      }
      rows.push_back({{"name", row.name}, {"cells", cells}});
    }
    json.push_back({{"table", table.number}, {"title", table.title}, {"rows", rows}});
  }
  PrintJson({{"paper", paper.version}, {"citation", paper.citation}, {"tables", json}});
}

void PrintTable(const PaperTable& table) {
  std::vector<std::string> headings = {""};
  for (const std::string& column : table.columns) {
    headings.push_back(">" + column + ": paper");
    headings.push_back(">ours");
    headings.emplace_back("");
  }
  Table text(std::move(headings));
  std::vector<std::string> notes;
  for (const PaperRow& row : table.rows) {
    std::vector<std::string> cells = {row.name};
    for (const PaperCell& cell : row.cells) {
      cells.push_back(cell.paper);
      cells.push_back(cell.ours);
      cells.emplace_back(cell.note.empty() ? "=" : fmt::format("({})", notes.size() + 1));
      if (!cell.note.empty()) notes.push_back(cell.note);
    }
    text.Add(std::move(cells));
  }
  fmt::print("Table {}. {}\n{}", table.number, table.title, text.Text());
  for (std::size_t i = 0; i < notes.size(); ++i) fmt::print("({}) {}\n", i + 1, notes[i]);
}

void PrintPaperText(const Paper& paper) {
  fmt::print(
      "{}: the countable columns, as printed and as counted here.\n"
      "Parameters are {}, as the paper counts them.\n",
      paper.citation, paper.parameters);
  for (const PaperTable& table : paper.tables) {
    fmt::print("\n");
    PrintTable(table);
  }
}

void Run(const PaperArguments& options) {
  if (!options.html.empty()) CheckPage(options.html);
  Paper paper = ReproducePaper(options.version);
  std::string numbers;
  for (const PaperTable& table : paper.tables)
    numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", table.number);
  if (options.table != 0)
    std::erase_if(paper.tables, [&](const PaperTable& t) { return t.number != options.table; });
  if (paper.tables.empty()) {
    throw CLI::ValidationError(
        fmt::format("--table is {}, which is none that has MobileNets and can be counted, expected one of {}",
                    options.table, numbers));
  }
  (options.json ? PrintPaperJson : PrintPaperText)(paper);
  if (!options.html.empty()) WritePage(PaperPage(paper, options.command), options.html, options.json);
}

}  // namespace

void AddPaper(CLI::App& program) {
  auto options = std::make_shared<PaperArguments>();
  CLI::App* command = program.add_subcommand("paper", "Recompute the tables of the MobileNet papers");
  command
      ->add_option("--paper", options->version,
                   "Which: v1 (Howard et al. 2017), v2 (Sandler et al. 2018), v3 (Howard et al. 2019) or v4 "
                   "(Qin et al. 2024)")
      ->check(CLI::IsMember(PaperVersions()))
      ->type_name("V")
      ->capture_default_str();
  AddNumber(*command, "--table", options->table, "Only this one; by default all that can be counted", {1, 99})
      ->default_str("");
  command->add_flag("--json", options->json, "One JSON object");
  AddHtml(*command, options->html);
  command->footer(
      "Example: what each kind of layer of V1 costs, and the blocks of V4's Conv-S\n"
      "  mobilenet paper --table 2\n"
      "  mobilenet paper --paper v4 --table 11");
  command->callback([options, command] {
    options->command = CommandLine(*command);
    Run(*options);
  });
}

}  // namespace mobilenet::cli
