// The program, run as a process.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace mobilenet {

struct Result {
  int status = 0;
  std::string output;  // of both streams where the command says 2>&1
};

// Runs a line of shell.
inline Result RunShell(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  Result result;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;)
    result.output.append(buffer, n);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

// Runs `mobilenet ARGUMENTS` through the shell.
inline Result RunProgram(const std::string& arguments) {
  return RunShell(std::string("env -u MOBILENET_MODEL ") + MOBILENET_PROGRAM + " " + arguments);
}

}  // namespace mobilenet
