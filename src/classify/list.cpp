#include "classify/list.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/lower.h"

namespace mobilenet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShown = 80;  // of a text in a message

using Fields = std::vector<std::string>;

// What parts the fields: tabs where there are any, else what is there more often.
char SeparatorIn(std::string_view line) {
  const bool commas = line.find_first_of(",;") != std::string_view::npos;
  if (!commas || line.find('\t') != std::string_view::npos) return '\t';
  return std::ranges::count(line, ';') > std::ranges::count(line, ',') ? ';' : ',';
}

Fields PlainFields(std::string_view text, char separator) {
  Fields fields;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    fields.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

// RFC 4180 within a line: a field that begins with a quote ends with one. None where it has no end.
std::optional<Fields> QuotedFields(std::string_view text, char separator) {
  Fields fields;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    std::string& field = fields.emplace_back();
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        if (at >= text.size()) return std::nullopt;
        if (text[at] != '"') {
          field += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
          field += text[at++];
        } else {
          break;
        }
      }
      ++at;
    }
    for (; at < text.size() && text[at] != separator; ++at) field += text[at];
  }
  return fields;
}

// Names of columns are compared without regard to case, spaces and the like.
std::string Bare(std::string_view name) {
  std::string bare = Lower(name);
  std::erase_if(bare, [](char c) { return c == ' ' || c == '_' || c == '-' || c == '.' || c == '"'; });
  return bare;
}

// Which columns hold what.
struct Columns {
  std::size_t picture = 0;
  std::size_t label = 1;
  std::optional<std::size_t> part;
};

// The column with the first of these names that there is.
std::optional<std::size_t> Column(const Fields& bare, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = std::ranges::find(bare, name);
    if (found != bare.end()) return static_cast<std::size_t>(found - bare.begin());
  }
  return std::nullopt;
}

// The columns that a first line names. None where it is no line of names.
std::optional<Columns> ColumnsIn(const Fields& first, const std::string& list) {
  Fields bare;
  for (const std::string& name : first) bare.push_back(Bare(name));
  const auto picture = Column(
      bare, {"file",    "filename", "filepath",  "files",     "filenames", "filepaths", "path",    "paths",
             "image",   "images",   "imagename", "imagepath", "imagefile", "img",       "imgname", "imgpath",
             "picture", "photo",    "imageid",   "fname",     "id",        "name"});
  const auto label = Column(bare, {"class", "classname", "label", "labels", "labelname", "category",
                                   "categoryname", "target", "species", "breed", "classid", "labelid"});
  const auto part = Column(bare, {"split", "set", "dataset", "subset", "part", "partition", "usage"});
  if (picture && label) return Columns{*picture, *label, part};
  if (picture && first.size() > 2) {
    Fail(list, ": its first line names a column for pictures, \"", first[*picture].substr(0, kShown),
         "\", and none for classes, expected one named class, label, category, target, species or breed");
  }
  return std::nullopt;
}

std::string NoteOf(const Columns& columns, const Fields& first) {
  std::string note = Concat("the column \"", first[columns.picture], "\" is read as the picture, \"",
                            first[columns.label], "\" as its class");
  if (columns.part) note += Concat(", \"", first[*columns.part], "\" as what it is for");
  std::string ignored;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (i == columns.picture || i == columns.label || i == columns.part) continue;
    ignored += Concat(ignored.empty() ? "; ignored: \"" : ", \"", first[i], "\"");
  }
  return note + ignored;
}

// The picture of a name that may lack its ending.
class Finder {
 public:
  explicit Finder(const fs::path& list) : beside_(list.parent_path()), inside_(beside_ / list.stem()) {}

  fs::path Find(const fs::path& name) {
    for (const fs::path& folder : {inside_, beside_}) {  // an absolute name stays as it is
      if (IsThere(folder / name)) return folder / name;
    }
    for (const fs::path& folder : {inside_, beside_}) {
      if (const auto found = WithEnding(folder / name)) {
        ++completed_;
        return *found;
      }
    }
    return beside_ / name;
  }

  // How many names had no ending.
  [[nodiscard]] int completed() const { return completed_; }

 private:
  static bool IsThere(const fs::path& path) {
    std::error_code unknown;
    return fs::exists(path, unknown);
  }
  // Where there is exactly one.
  static std::optional<fs::path> WithEnding(const fs::path& name) {
    std::optional<fs::path> found;
    for (const char* ending : {".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"}) {
      fs::path path = name;
      if (!IsThere(path += ending)) continue;
      if (found) return std::nullopt;
      found = path;
    }
    return found;
  }

  fs::path beside_;
  fs::path inside_;
  int completed_ = 0;
};

class Reader {
 public:
  explicit Reader(const fs::path& list) : path_(list), shown_(list.string()), finder_(list) {}

  PictureList Read() {
    int number = 0;
    for (const std::string& text : ReadLines(path_)) {
      ++number;
      if (text.empty()) continue;
      const bool first = !std::exchange(begun_, true);
      if (first) separator_ = SeparatorIn(text);
      const Fields fields = FieldsOf(text, number);
      if (!(first && TakeNames(fields))) Add(text, fields, number);
    }
    if (list_.lines.empty()) Fail(shown_, ": has no pictures in it");
    CheckParts();
    if (finder_.completed() > 0)
      list_.notes.push_back(
          Concat(shown_, ": ", finder_.completed(),
                 " of its names have no ending; the picture with .jpg, .jpeg or .png is taken"));
    return std::move(list_);
  }

 private:
  Fields FieldsOf(const std::string& text, int number) const {
    if (separator_ == '\t') return PlainFields(text, separator_);
    std::optional<Fields> fields = QuotedFields(text, separator_);
    if (!fields) Fail(shown_, ": line ", number, " has a quote that is not closed in it");
    return *std::move(fields);
  }

  // Whether they name columns.
  bool TakeNames(const Fields& first) {
    const std::optional<Columns> columns = ColumnsIn(first, shown_);
    if (!columns) return false;
    columns_ = *columns;
    named_ = first.size();
    const bool usual = first == Fields{"file", "class"} || first == Fields{"file", "class", "split"};
    if (!usual) list_.notes.push_back(Concat(shown_, ": ", NoteOf(columns_, first)));
    return true;
  }

  void Add(const std::string& text, const Fields& fields, int number) {
    Columns columns = columns_;
    if (named_ == 0 && fields.size() == 3) columns.part = 2;
    // Of columns that are ignored the last ones may lack.
    const std::size_t least = 1 + std::max({columns.picture, columns.label, columns.part.value_or(0)});
    const std::size_t most = named_ == 0 ? 3 : named_;
    const bool enough = fields.size() >= least && fields.size() <= most;
    if (!enough || fields[columns.picture].empty() || fields[columns.label].empty()) {
      Fail(shown_, ": line ", number, " is \"", text.substr(0, kShown), "\", expected ",
           named_ == 0
               ? Concat("a file, a ", separator_ == '\t' ? "tab" : "comma", " and a class, and perhaps a ",
                        separator_ == '\t' ? "tab" : "comma", " and \"train\", \"val\" or \"test\"")
               : Concat(least == named_ ? "" : Concat(least, " to "), named_,
                        " fields as in the first line, none of them empty for the picture or its class"));
    }
    ListLine line = {number, fields[columns.picture], {}, fields[columns.label], {}};
    line.picture = finder_.Find(line.name);
    if (columns.part && !fields[*columns.part].empty()) {
      line.part = PartNamed(fields[*columns.part]);
      if (!line.part)
        Fail(shown_, ": line ", number, " is for \"", fields[*columns.part].substr(0, kShown),
             "\", expected \"train\", \"val\" or \"test\"");
    }
    list_.lines.push_back(std::move(line));
  }

  void CheckParts() const {
    const auto with =
        std::ranges::count_if(list_.lines, [](const ListLine& line) { return line.part.has_value(); });
    if (with != 0 && with != std::ssize(list_.lines)) {
      Fail(shown_, ": ", with, " of its ", list_.lines.size(),
           " lines say \"train\", \"val\" or \"test\", expected all or none");
    }
  }

  const fs::path& path_;
  std::string shown_;
  Finder finder_;
  char separator_ = '\t';
  Columns columns_;
  std::size_t named_ = 0;  // columns; 0: no line names them
  bool begun_ = false;
  PictureList list_;
};

}  // namespace

PictureList ReadList(const fs::path& list) { return Reader(list).Read(); }

}  // namespace mobilenet
