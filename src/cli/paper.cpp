// mobilenet paper: the countable columns of Howard et al. 2017, computed again.
#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/number.h"
#include "report/pages.h"
#include "report/text.h"

namespace mobilenet::cli {
namespace {

struct PaperArguments {
  int table = 0;
  bool json = false;
  std::string html;
  std::string command;  // as CommandLine gives it
};

void PrintPaperJson(const std::vector<PaperTable>& tables) {
  auto json = nlohmann::ordered_json::array();
  for (const PaperTable& table : tables) {
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
  PrintJson({{"tables", json}});
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

void PrintPaperText(const std::vector<PaperTable>& tables) {
  fmt::print(
      "Howard et al. 2017, arXiv 1704.04861: the countable columns, as printed and as counted here.\n"
      "Parameters are weights alone, as the paper counts them.\n");
  for (const PaperTable& table : tables) {
    fmt::print("\n");
    PrintTable(table);
  }
}

void Run(const PaperArguments& options) {
  if (!options.html.empty()) CheckPage(options.html);
  std::vector<PaperTable> tables = ReproducePaper();
  if (options.table != 0)
    std::erase_if(tables, [&](const PaperTable& t) { return t.number != options.table; });
  if (tables.empty()) {
    throw CLI::ValidationError(fmt::format(
        "--table is {}, which has no column that can be counted: 11 has accuracies alone, 13 is detection",
        options.table));
  }
  (options.json ? PrintPaperJson : PrintPaperText)(tables);
  if (!options.html.empty()) WritePage(PaperPage(tables, options.command), options.html, options.json);
}

}  // namespace

void AddPaper(CLI::App& program) {
  auto options = std::make_shared<PaperArguments>();
  CLI::App* command = program.add_subcommand("paper", "Recompute the tables of the MobileNet paper");
  AddNumber(*command, "--table", options->table, "Only this one, 1 to 14 but for 11 and 13; by default all",
            {1, 14})
      ->default_str("");
  command->add_flag("--json", options->json, "One JSON object");
  AddHtml(*command, options->html);
  command->footer("Example: what each kind of layer costs\n  mobilenet paper --table 2");
  command->callback([options, command] {
    options->command = CommandLine(*command);
    Run(*options);
  });
}

}  // namespace mobilenet::cli
