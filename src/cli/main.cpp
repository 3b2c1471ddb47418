#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "cli/command.h"

namespace {

using Arguments = std::vector<std::string>;

// "help COMMAND" as "COMMAND --help". With more behind it, it stays, to be refused.
Arguments WithoutHelpCommand(Arguments arguments) {
  if (arguments.empty() || arguments.front() != "help" || arguments.size() > 2) return arguments;
  arguments.erase(arguments.begin());
  arguments.emplace_back("--help");
  return arguments;
}

bool IsOption(const std::string& argument) { return argument.size() > 1 && argument.front() == '-'; }

// The first command or option that doesn't exist, or nothing. Told before what is missing, which is often its
// consequence.
std::string UnknownIn(const Arguments& arguments, const CLI::App& program) {
  if (arguments.empty()) return "";
  if (IsOption(arguments.front())) {
    const bool known = program.get_option_no_throw(arguments.front()) != nullptr;
    return known ? "" : fmt::format("mobilenet has no option {}", arguments.front());
  }
  const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
  const auto command = std::ranges::find(commands, arguments.front(), &CLI::App::get_name);
  if (command == commands.end()) return fmt::format("{} is no command", arguments.front());
  for (auto at = arguments.begin() + 1; at != arguments.end() && *at != "--"; ++at) {
    const std::string name = at->substr(0, at->find('='));
    // Numbers below zero are no options.
    if (IsOption(name) && name[1] != '.' && (name[1] < '0' || name[1] > '9') &&
        (*command)->get_option_no_throw(name) == nullptr)
      return fmt::format("{} has no option {}", arguments.front(), name);
  }
  return "";
}

int Refuse(const std::string& complaint) {
  mobilenet::cli::PrintError(complaint);
  fmt::print(stderr, "`mobilenet --help` lists the commands, `mobilenet COMMAND --help` their options.\n");
  return mobilenet::cli::kUsage;
}

int Run(int argc, char** argv) {
  using namespace mobilenet::cli;
  CLI::App program("MobileNets: classify photos, look into models, convert, time, choose and train them.",
                   "mobilenet");
  program.set_version_flag("--version", MOBILENET_VERSION);
  program.set_help_all_flag("--help-all", "Help of every command");
  program.require_subcommand(1);
  program.footer("`mobilenet COMMAND --help` explains a command and shows an example.");
  int status = kSuccess;
  AddClassify(program, status);
  AddEval(program, status);
  AddEmbed(program, status);
  AddSimilar(program, status);
  AddInfo(program);
  AddGet(program);
  AddConvert(program, status);
  AddBench(program);
  AddCost(program);
  AddPaper(program);
  AddFit(program, status);
  AddTrain(program, status);
  program.add_subcommand("help", "Say what a command does: mobilenet help COMMAND");
  const std::vector<std::string> arguments = WithoutHelpCommand({argv + 1, argv + argc});
  if (const std::string unknown = UnknownIn(arguments, program); !unknown.empty()) return Refuse(unknown);
  try {
    program.parse(Arguments(arguments.rbegin(), arguments.rend()));  // CLI11 wants them so
  } catch (const CLI::Success& asked) {                              // for help or the version
    status = program.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Refuse(error.what());
  }
  // Output that could not be written, to a full disk say, is a failure too.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    PrintError("standard output can't be written");
    return kFailure;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::bad_alloc&) {
    mobilenet::cli::PrintError("out of memory");
  } catch (const std::exception& error) {
    mobilenet::cli::PrintError(error.what());
  }
  return mobilenet::cli::kFailure;
}
