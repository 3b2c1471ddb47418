// Checkpoints of today's kind: ZIP archives of a pickle and, each in a file of its own, the storages.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fail.h"
#include "formats/pickle.h"
#include "formats/torch_file.h"
#include "formats/torch_state.h"
#include "formats/zip.h"

namespace mobilenet {
namespace {

// "name/data.pkl" -> "name/"
std::optional<std::string> FolderOf(const ZipArchive& archive) {
  constexpr std::string_view kEnd = "/data.pkl";
  for (const auto& [name, unused] : archive.files()) {
    if (name.ends_with(kEnd) && name.find('/') == name.size() - kEnd.size())
      return name.substr(0, name.size() - kEnd.size() + 1);
  }
  return std::nullopt;
}

void CheckArchive(const ZipArchive& archive, const std::string& folder) {
  const auto& files = archive.files();
  if (files.contains(folder + "constants.pkl"))
    Fail(archive.name(),
         ": is a TorchScript archive, a program, which is not read; expected a state dictionary, as "
         "torch.save(model.state_dict(), \"weights.pth\") writes it");
  if (!files.contains(folder + "byteorder")) return;
  const std::vector<std::uint8_t> order = archive.Read(folder + "byteorder");
  if (std::string(order.begin(), order.end()) != "little")
    Fail(archive.name(), ": was written on a big-endian machine, which is not read");
}

}  // namespace

bool IsTorchArchive(const ZipArchive& archive) { return FolderOf(archive).has_value(); }

TorchFile ReadTorchArchive(const ZipArchive& archive) {
  const std::string folder = FolderOf(archive).value();
  CheckArchive(archive, folder);
  const std::vector<std::uint8_t> code = archive.Read(folder + "data.pkl");
  std::size_t position = 0;
  const Pickle pickle = ReadPickle(code, position, archive.name());
  using Storages = std::map<std::string, std::vector<std::uint8_t>>;
  const auto storages = std::make_shared<Storages>();
  const auto find = [&](const std::string& key) -> std::span<const std::uint8_t> {
    const auto [storage, is_new] = storages->try_emplace(key);
    if (is_new) storage->second = archive.Read(Concat(folder, "data/", key));
    return storage->second;
  };
  std::uint64_t size = 0;
  for (const auto& [name, file] : archive.files()) size += file.size;
  return ReadTorchState(pickle, archive.name(), size, find, storages);
}

}  // namespace mobilenet
