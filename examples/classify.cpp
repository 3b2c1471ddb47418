// What is in a photo: classify MODEL PHOTO. Built against the installed library (examples/CMakeLists.txt).
#include <mobilenet/mobilenet.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: classify MODEL PHOTO\n"), 2;
  try {
    auto model = mobilenet::Model::Load(argv[1]);
    mobilenet::Classifier classify(model, {.threads = 2});
    for (const auto& [label, probability, index] : classify.File(argv[2], {.top = 3}))
      std::printf("%5.1f %%  %s\n", 100 * probability, label.c_str());
  } catch (const mobilenet::Error& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
