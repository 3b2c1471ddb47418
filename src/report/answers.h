// What answers tell of a model: class by class, and picture by picture.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mobilenet/training.h"

namespace mobilenet {

// A class that has pictures, or was answered.
struct ClassScore {
  std::size_t index = 0;
  Evaluation::Class counts;

  // Shares from 0 to 1; 0 where there is nothing to take a share of.
  [[nodiscard]] double Recall() const;
  [[nodiscard]] double Precision() const;
};

// The worst recall first; classes without pictures come last.
std::vector<ClassScore> WorstFirst(const std::vector<Evaluation::Class>& classes);

// Of the validation pictures, as Evaluate counts, without `top5`.
std::vector<Evaluation::Class> ClassesOf(const TrainingResult& result);
Reliability ReliabilityOf(const TrainingResult& result);

// "mean over classes 56.67 %; worst: daisy 20.0 % of 10", up to three; empty where all classes are the same.
std::string WorstText(const std::vector<Evaluation::Class>& classes, const Model& model);

// The validation pictures that are answered wrongly, by their place in the list: those that the model is most
// sure of first.
std::vector<std::size_t> MistakesOf(const TrainingResult& result);

// "temperature 1.37 on 250 pictures", as a model's provenance has it, and the same with what it changed.
std::string CalibrationNote(const Calibration& calibration);
std::string CalibrationText(const Calibration& calibration);

// What was kept of a tuned network, and why, in two lines; empty where there was no choice.
std::string KeptText(const TrainingResult& result);

// "83.3 %"; "-" where there is nothing to take a share of.
std::string ShareText(double part, double whole);

}  // namespace mobilenet
