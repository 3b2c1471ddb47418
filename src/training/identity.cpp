// What a training's weights depend on, data apart.
#include "training/identity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iomanip>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "base/fail.h"
#include "base/fingerprint.h"
#include "formats/json.h"
#include "formats/network_json.h"

namespace mobilenet {
namespace {

// Which model training starts from: its weights, and how it sees pictures.
std::string TextOf(const std::optional<Model>& from) {
  if (!from) return "none";
  Fingerprint fingerprint;
  const Preprocessing& p = from->preprocessing;
  const auto enough = std::numeric_limits<float>::max_digits10;
  fingerprint.Add(Concat(std::setprecision(enough), p.mean[0], " ", p.mean[1], " ", p.mean[2], " ",
                         p.scale[0], " ", p.scale[1], " ", p.scale[2], " ", p.crop, " ",
                         static_cast<int>(p.order), " ", static_cast<int>(p.shape), " ",
                         static_cast<int>(p.filter)));
  for (const auto& [name, tensor] : from->weights) {
    fingerprint.Add(name);
    fingerprint.Add({reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes()});
  }
  return fingerprint.Text();
}

// As many digits as tell a number from its neighbours.
std::string TextOf(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// The network: each field of its recipe, so that a message can name it, and all of its layers.
void AddNetwork(const Network& network, Identity& identity) {
  identity.push_back({"version", std::string(VersionOf(network))});
  const std::optional<Recipe> made_by = RecipeOf(network);
  const nlohmann::json recipe = made_by ? RecipeJson(*made_by) : nlohmann::json::object();
  for (const auto& [key, value] : recipe.items()) {
    if (key == "version" || key == "classes") continue;                // told apart from this
    std::string name = key == "epsilon" ? "batch norm epsilon" : key;  // the optimizer has one, too
    std::ranges::replace(name, '_', ' ');
    if (value.is_boolean()) name += ":";
    identity.push_back({name, value.is_string() ? value.get<std::string>() : Dumped(value)});
  }
  Fingerprint layers;
  layers.Add(Dumped(NetworkJson(network)));
  identity.push_back({"layers", Concat(network.layers.size(), " (", layers.Text(), ")")});
}

}  // namespace

Identity IdentityOf(const TrainingData& data, const TrainingOptions& o, const Course& course,
                    const Network& network) {
  const auto number = [](auto value) { return TextOf(static_cast<double>(value)); };
  const auto yes = [](bool value) { return std::string(value ? "yes" : "no"); };
  Fingerprint classes;
  for (const std::string& name : data.classes) classes.Add(name);
  constexpr bool kMayChange = false;
  Identity identity = {{"classes", Concat(data.classes.size(), " (", classes.Text(), ")")},
                       {"a model to start from:", TextOf(o.from)},
                       {"a frozen backbone:", yes(o.freeze_backbone)}};
  AddNetwork(network, identity);
  const Identity rest = {{"precision", std::string(NameOf(*o.precision))},
                         {"epochs", number(course.epochs)},
                         {"most steps", std::to_string(course.most_steps)},
                         {"batch", number(course.batch)},
                         {"optimizer", std::string(NameOf(o.optimizer.kind))},
                         {"momentum", number(o.optimizer.momentum)},
                         {"rho", number(o.optimizer.rho)},
                         {"epsilon", number(o.optimizer.epsilon)},
                         {"decaying weights:", std::string(NameOf(o.optimizer.decay))},
                         {"schedule", std::string(NameOf(course.schedule))},
                         {"warm-up", number(o.warmup)},
                         {"balanced classes:", yes(o.balance)},
                         {"label smoothing", number(o.label_smoothing)},
                         {"dropout", number(o.dropout)},
                         {"drop path", number(o.drop_path)},
                         {"norm momentum", number(o.norm_momentum)},
                         {"average", number(course.average)},
                         {"crop", std::string(NameOf(o.augment.crop))},
                         {"smallest crop", number(o.augment.smallest)},
                         {"mirrored pictures:", yes(o.augment.flip)},
                         {"trivial augmentation:", yes(o.augment.trivial.value_or(false))},
                         {"jitter", number(o.augment.jitter)},
                         {"erase", number(o.augment.erase)},
                         {"mixup", number(course.mixup)},
                         {"seed", std::to_string(o.seed)},
                         {"learning rate", number(course.learning_rate), kMayChange},
                         {"weight decay", number(o.optimizer.weight_decay), kMayChange},
                         {"clip", number(o.optimizer.clip), kMayChange},
                         {"threads", number(o.threads), kMayChange}};
  identity.insert(identity.end(), rest.begin(), rest.end());
  return identity;
}

}  // namespace mobilenet
