// What a network was trained on, as far as its weights tell.
#pragma once

#include <optional>
#include <string>

#include "formats/graph.h"

namespace mobilenet {

struct FoldedGraph;

// A preprocessing that was guessed, and the probability, from 0 to 1, that its pixels are right.
struct PreprocessingGuess {
  Preprocessing preprocessing;
  double probability = 0;
  std::string evidence;  // "the first batch norm tells of pixels with a mean of ...; next: ..."
};

// The most probable of the usual normalisations, by Bayes' rule: how often files of this kind have each,
// times how well it goes with what the first layer remembers of its pixels. `network` is what became of the
// graph.
PreprocessingGuess GuessPreprocessing(const Graph& graph, const FoldedGraph& folded, const Network& network);

// The guess as a model's provenance has it, "guessed, 97 %: ...", which Model::PreprocessingProbability
// reads.
std::string NoteOf(const PreprocessingGuess& guess);

}  // namespace mobilenet
