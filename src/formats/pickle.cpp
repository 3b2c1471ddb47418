#include "formats/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

#include "base/fail.h"

namespace mobilenet {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Id = Pickle::Id;

// Far above what the largest checkpoint with its optimizer holds; bounds the memory that a hostile file
// takes.
constexpr std::size_t kMostValues = 300'000;
constexpr std::size_t kMostDimensions = 8;

// What may be named though nothing is made of it: types of values, layouts, and where a tensor was.
constexpr std::array<std::string_view, 19> kTorchNames = {
    "float32",      "float", "float64", "double", "float16", "half",
    "bfloat16",     "int64", "long",    "int32",  "int",     "int16",
    "short",        "int8",  "uint8",   "bool",   "strided", "contiguous_format",
    "channels_last"};

// What may be called. The value that comes of it stands for the object.
enum class Callable : std::uint8_t {
  kNone,
  kDictionary,   // collections.OrderedDict
  kTensor,       // (storage, offset, shape, strides, ...)
  kParameter,    // (tensor, ...)
  kSize,         // (tuple)
  kEncodedText,  // (text, encoding)
  kDevice,
};

struct CallableRow {
  std::string_view module, name;
  Callable callable;
};
constexpr std::array kCallables = {
    CallableRow{"collections", "OrderedDict", Callable::kDictionary},
    CallableRow{"torch._utils", "_rebuild_tensor_v2", Callable::kTensor},
    CallableRow{"torch._utils", "_rebuild_tensor", Callable::kTensor},
    CallableRow{"torch._utils", "_rebuild_parameter", Callable::kParameter},
    CallableRow{"torch._utils", "_rebuild_parameter_with_state", Callable::kParameter},
    CallableRow{"torch", "Size", Callable::kSize},
    CallableRow{"_codecs", "encode", Callable::kEncodedText},
    CallableRow{"torch", "device", Callable::kDevice},
};

// A number of at most 8 bytes, the least significant first; `above` is what the bits above are.
std::uint64_t LittleEndian(Bytes bytes, std::uint64_t above) {
  std::uint64_t value = above;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

class Unpickler {
 public:
  Unpickler(Bytes bytes, std::size_t position, std::string_view file)
      : bytes_(bytes), position_(position), file_(file) {}

  Pickle Read() {
    none_ = Add(Pickle::None());
    while (!stopped_) Run(Byte());
    return std::move(pickle_);
  }

  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  struct Row {
    std::uint8_t code;
    void (Unpickler::*run)();
  };

  template <typename... Parts>
  [[noreturn]] void Bad(const Parts&... parts) const {
    Fail(file_, ": its pickle is damaged: ", parts...);
  }

  static const std::array<Row, 48> kRows;

  void Run(std::uint8_t code) {
    const auto* row = std::ranges::find(kRows, code, &Row::code);
    if (row == kRows.end())
      Bad("the operation ", int{code}, " at byte ", position_ - 1, " is none that PyTorch writes");
    (this->*row->run)();
  }

  Bytes Take(std::uint64_t size) {
    if (size > bytes_.size() - position_)
      Fail(file_, ": was cut off: its pickle takes ", size, " bytes at ", position_, ", found ",
           bytes_.size() - position_);
    const Bytes taken = bytes_.subspan(position_, size);
    position_ += size;
    return taken;
  }

  std::uint8_t Byte() { return Take(1)[0]; }

  template <int kBytes>
  std::uint64_t Unsigned() {
    return LittleEndian(Take(kBytes), 0);
  }

  // Up to the end of a line.
  std::string Line() {
    std::string line;
    for (std::uint8_t c = Byte(); c != '\n'; c = Byte()) line += static_cast<char>(c);
    return line;
  }

  void CountOne() {
    if (++count_ > kMostValues)
      Fail(file_, ": its pickle holds more than ", kMostValues, " objects, far more than a checkpoint has");
  }

  template <typename T>
  Id Add(T value) {
    CountOne();
    pickle_.values.emplace_back(std::move(value));
    return static_cast<Id>(pickle_.values.size() - 1);
  }

  void Push(Id id) { stack_.push_back(id); }

  Id Pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) Bad("it takes more than it has put down");
    const Id id = stack_.back();
    stack_.pop_back();
    return id;
  }

  [[nodiscard]] Id Top() {
    const Id id = Pop();
    Push(id);
    return id;
  }

  // What was put down since the last mark.
  std::vector<Id> PopMarked() {
    if (marks_.empty()) Bad("it goes back to a mark that it never made");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Id> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  template <typename T>
  T& Get(Id id, const char* expected) {
    T* value = std::get_if<T>(&pickle_.values[id]);
    if (value == nullptr) Bad("expected ", expected, " before byte ", position_);
    return *value;
  }

  void Proto() {
    const int protocol = Byte();
    if (protocol > 5) Fail(file_, ": is a pickle of protocol ", protocol, ", expected 2 to 5");
  }
  template <int kBytes>
  void Skip() {
    Take(kBytes);
  }
  void Stop() {
    pickle_.root = Pop();
    stopped_ = true;
  }
  void Mark() {
    CountOne();
    marks_.push_back(stack_.size());
  }
  void Drop() { Pop(); }
  void Duplicate() {
    CountOne();
    Push(Top());
  }
  void PushNone() {
    CountOne();
    Push(none_);
  }
  template <bool kValue>
  void PushBool() {
    Push(Add(kValue));
  }
  template <int kBytes>
  void PushUnsigned() {
    Push(Add(static_cast<std::int64_t>(Unsigned<kBytes>())));
  }
  void PushInt() { Push(Add(std::int64_t{static_cast<std::int32_t>(Unsigned<4>())})); }
  void PushLong() {
    const Bytes digits = Take(Byte());
    if (digits.size() > sizeof(std::int64_t))
      Bad("a number takes ", digits.size(), " bytes, expected at most 8");
    const std::uint64_t value = !digits.empty() && digits.back() >= 0x80 ? ~std::uint64_t{0} : 0;
    Push(Add(static_cast<std::int64_t>(LittleEndian(digits, value))));
  }
  // The only number whose most significant byte comes first.
  void PushDouble() {
    std::uint64_t bits = 0;
    for (const std::uint8_t byte : Take(sizeof(bits))) bits = bits << 8 | byte;
    Push(Add(std::bit_cast<double>(bits)));
  }
  template <int kLengthBytes>
  void PushText() {
    const Bytes text = Take(Unsigned<kLengthBytes>());
    Push(Add(std::string(text.begin(), text.end())));
  }
  template <typename T>
  void PushEmpty() {
    Push(Add(T()));
  }
  template <std::size_t kSize>
  void PushTuple() {
    Pickle::List items(kSize);
    for (std::size_t i = kSize; i-- > 0;) items[i] = Pop();
    Push(Add(std::move(items)));
  }
  void PushMarkedTuple() { Push(Add(Pickle::List(PopMarked()))); }

  void SetItems(Id dictionary, const std::vector<Id>& items) {
    if (items.size() % 2 != 0) Bad("a key lacks its value");
    auto& all = Get<Pickle::Dictionary>(dictionary, "a dictionary").items;
    for (std::size_t i = 0; i < items.size(); i += 2) all.emplace_back(items[i], items[i + 1]);
  }
  void PushMarkedDictionary() {
    const std::vector<Id> items = PopMarked();
    const Id dictionary = Add(Pickle::Dictionary());
    SetItems(dictionary, items);
    Push(dictionary);
  }
  void SetOne() {
    const Id value = Pop();
    const Id key = Pop();
    SetItems(Top(), {key, value});
  }
  void SetMarked() {
    const std::vector<Id> items = PopMarked();
    SetItems(Top(), items);
  }
  void AppendItems(const std::vector<Id>& items) {
    auto& list = Get<Pickle::List>(Top(), "a list");
    list.insert(list.end(), items.begin(), items.end());
  }
  void AppendOne() { AppendItems({Pop()}); }
  void AppendMarked() { AppendItems(PopMarked()); }

  void PutAt(std::uint64_t place) {
    CountOne();
    memo_[place] = Top();
  }
  template <int kBytes>
  void Put() {
    PutAt(Unsigned<kBytes>());
  }
  void Memoize() { PutAt(memo_.size()); }
  template <int kBytes>
  void Recall() {
    CountOne();
    const auto found = memo_.find(Unsigned<kBytes>());
    if (found == memo_.end()) Bad("it asks for an object that it never kept, before byte ", position_);
    Push(found->second);
  }

  [[nodiscard]] static bool IsStorage(std::string_view module, std::string_view name) {
    return (module == "torch" || module == "torch.cuda" || module == "torch.storage") &&
           name.ends_with("Storage");
  }

  [[nodiscard]] static Callable CallableOf(std::string_view module, std::string_view name) {
    const auto* row = std::ranges::find_if(
        kCallables, [&](const CallableRow& r) { return r.module == module && r.name == name; });
    return row == kCallables.end() ? Callable::kNone : row->callable;
  }

  void AddGlobal(Id module, Id name) {
    const std::string& in = Get<std::string>(module, "a module's name");
    const std::string& what = Get<std::string>(name, "an object's name");
    const bool torch_name = in == "torch" && std::ranges::find(kTorchNames, what) != kTorchNames.end();
    if (!torch_name && !IsStorage(in, what) && CallableOf(in, what) == Callable::kNone) {
      Fail(file_, ": holds the Python object ", in, ".", what,
           ", and code would have to run to read it; expected a state dictionary, as "
           "torch.save(model.state_dict(), \"weights.pth\") writes it");
    }
    Push(Add(Pickle::Global{module, name}));
  }
  void PushGlobal() {
    const Id module = Add(Line());
    AddGlobal(module, Add(Line()));
  }
  void PushStackGlobal() {
    const Id name = Pop();
    AddGlobal(Pop(), name);
  }

  // ("storage", type, key, device, count[, view])
  void PushStorage() {
    const auto& id = Get<Pickle::List>(Pop(), "a storage's description");
    if (id.size() < 5 || pickle_.Text(id[0]) != "storage" || pickle_.As<std::int64_t>(id[4]) == nullptr ||
        pickle_.As<std::string>(id[2]) == nullptr)
      Bad("a storage is not described as PyTorch does, before byte ", position_);
    const auto& type = Get<Pickle::Global>(id[1], "a storage's type");
    if (!IsStorage(pickle_.Text(type.module), pickle_.Text(type.name)))
      Bad("a storage has the type ", pickle_.Text(type.name));
    if (id.size() > 5 && pickle_.As<Pickle::None>(id[5]) == nullptr)
      Fail(file_,
           ": holds a view of a storage, as PyTorch before 0.4 wrote it, which is not read: save it again");
    Push(Add(Pickle::Storage{id[1], id[2], *pickle_.As<std::int64_t>(id[4])}));
  }

  void Call() {
    const Id arguments = Pop();
    const Pickle::Global global = Get<Pickle::Global>(Pop(), "an object that can be called");
    const Pickle::List& list = Get<Pickle::List>(arguments, "arguments");
    switch (CallableOf(pickle_.Text(global.module), pickle_.Text(global.name))) {
      case Callable::kNone:
        Bad("it calls ", pickle_.Text(global.module), ".", pickle_.Text(global.name));
      case Callable::kDictionary:
        return PushOrdered(list);
      case Callable::kTensor:
        return PushTensor(list);
      case Callable::kParameter:
      case Callable::kSize:
      case Callable::kEncodedText:
        if (list.empty()) Bad("a call lacks its arguments, before byte ", position_);
        return Push(list[0]);
      case Callable::kDevice:
        return PushNone();
    }
  }

  // Of nothing, or of pairs.
  void PushOrdered(const Pickle::List& arguments) {
    const Id dictionary = Add(Pickle::Dictionary());
    if (!arguments.empty()) {
      for (const Id pair : Get<Pickle::List>(arguments[0], "pairs")) {
        CountOne();
        SetItems(dictionary, Get<Pickle::List>(pair, "a pair"));
      }
    }
    Push(dictionary);
  }

  std::vector<std::int64_t> Numbers(Id id) {
    std::vector<std::int64_t> numbers;
    const auto& list = Get<Pickle::List>(id, "a shape");
    if (list.size() > kMostDimensions)
      Bad("a tensor has ", list.size(), " dimensions, expected at most ", kMostDimensions);
    numbers.reserve(list.size());
    for (const Id item : list) numbers.push_back(Get<std::int64_t>(item, "a number"));
    return numbers;
  }

  void PushTensor(const Pickle::List& arguments) {
    if (arguments.size() < 4) Bad("a tensor lacks its storage, shape or strides");
    Get<Pickle::Storage>(arguments[0], "a storage");
    CountOne();
    CountOne();
    pickle_.tensors.push_back({arguments[0], Get<std::int64_t>(arguments[1], "an offset"),
                               Numbers(arguments[2]), Numbers(arguments[3])});
    const Pickle::Tensor* tensor = &pickle_.tensors.back();
    Push(Add(tensor));
  }

  // Attributes of an object: of a dictionary, where PyTorch keeps the versions of modules, which nothing
  // needs.
  void Build() {
    Pop();
    Get<Pickle::Dictionary>(Top(), "a dictionary");
  }

  Bytes bytes_;
  std::size_t position_;
  std::string file_;
  Pickle pickle_;
  Id none_ = 0;
  bool stopped_ = false;
  std::size_t count_ = 0;  // of values, and of what refers to them
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;  // the stack's height at each
  std::unordered_map<std::uint64_t, Id> memo_;
};

// Operations by their codes.
constexpr std::array<Unpickler::Row, 48> Unpickler::kRows = {{
    {0x80, &Unpickler::Proto},
    {0x95, &Unpickler::Skip<8>},  // FRAME
    {'.', &Unpickler::Stop},
    {'(', &Unpickler::Mark},
    {'0', &Unpickler::Drop},
    {'2', &Unpickler::Duplicate},
    {'N', &Unpickler::PushNone},
    {0x88, &Unpickler::PushBool<true>},
    {0x89, &Unpickler::PushBool<false>},
    {'K', &Unpickler::PushUnsigned<1>},
    {'M', &Unpickler::PushUnsigned<2>},
    {'J', &Unpickler::PushInt},
    {0x8A, &Unpickler::PushLong},
    {'G', &Unpickler::PushDouble},
    {'U', &Unpickler::PushText<1>},   // SHORT_BINSTRING
    {'T', &Unpickler::PushText<4>},   // BINSTRING
    {0x8C, &Unpickler::PushText<1>},  // SHORT_BINUNICODE
    {'X', &Unpickler::PushText<4>},   // BINUNICODE
    {0x8D, &Unpickler::PushText<8>},  // BINUNICODE8
    {'C', &Unpickler::PushText<1>},   // SHORT_BINBYTES
    {'B', &Unpickler::PushText<4>},   // BINBYTES
    {0x8E, &Unpickler::PushText<8>},  // BINBYTES8
    {'}', &Unpickler::PushEmpty<Pickle::Dictionary>},
    {']', &Unpickler::PushEmpty<Pickle::List>},
    {')', &Unpickler::PushEmpty<Pickle::List>},
    {0x8F, &Unpickler::PushEmpty<Pickle::List>},  // EMPTY_SET
    {0x85, &Unpickler::PushTuple<1>},
    {0x86, &Unpickler::PushTuple<2>},
    {0x87, &Unpickler::PushTuple<3>},
    {'t', &Unpickler::PushMarkedTuple},
    {'l', &Unpickler::PushMarkedTuple},
    {'d', &Unpickler::PushMarkedDictionary},
    {'a', &Unpickler::AppendOne},
    {'e', &Unpickler::AppendMarked},
    {0x90, &Unpickler::AppendMarked},  // ADDITEMS
    {'s', &Unpickler::SetOne},
    {'u', &Unpickler::SetMarked},
    {'q', &Unpickler::Put<1>},
    {'r', &Unpickler::Put<4>},
    {0x94, &Unpickler::Memoize},
    {'h', &Unpickler::Recall<1>},
    {'j', &Unpickler::Recall<4>},
    {'c', &Unpickler::PushGlobal},
    {0x93, &Unpickler::PushStackGlobal},
    {'Q', &Unpickler::PushStorage},
    {'R', &Unpickler::Call},
    {0x81, &Unpickler::Call},  // NEWOBJ
    {'b', &Unpickler::Build},
}};

}  // namespace

std::string_view Pickle::Text(Id id) const {
  const auto* text = As<std::string>(id);
  return text == nullptr ? std::string_view() : *text;
}

Pickle ReadPickle(Bytes bytes, std::size_t& position, std::string_view file) {
  Unpickler unpickler(bytes, position, file);
  Pickle pickle = unpickler.Read();
  position = unpickler.position();
  return pickle;
}

}  // namespace mobilenet
