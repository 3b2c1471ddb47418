#include <fmt/format.h>
#include <algorithm>

#include <cstdio>
#include <exception>
#include <new>

#include "cli/command.h"

namespace {

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
  AddInfo(program);
  AddConvert(program);
  AddBench(program);
  AddCost(program);
  AddPaper(program);
  AddFit(program, status);
  AddTrain(program, status);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return program.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return program.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return program.exit(version);
  } catch (const CLI::ParseError& error) {
    const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
    const bool unknown =
        argc > 1 && argv[1][0] != '-' && std::ranges::none_of(commands, [&](const CLI::App* command) {
          return command->get_name() == argv[1];
        });
    PrintError(unknown ? fmt::format("{} is no command", argv[1]) : error.what());
    fmt::print(stderr, "`mobilenet --help` lists the commands, `mobilenet COMMAND --help` their options.\n");
    return kUsage;
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
