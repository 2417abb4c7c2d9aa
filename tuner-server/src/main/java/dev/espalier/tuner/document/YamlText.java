package dev.espalier.tuner.document;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.AbstractConstruct;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/// Reads YAML as people write job files, and writes it.
///
/// Plain words mean what the core schema of YAML 1.2.2 (section 10.3.2) says: `1:30`, `no`, `on`
/// and `2024-01-01` are texts and `010` is ten, where YAML 1.1 has ninety, truth values, a time and
/// eight. Merge keys (`<<`), which 1.2 left out, are read all the same.
public final class YamlText {
  private YamlText() {}

  /// {@return maps, lists, texts, numbers and booleans; null for an empty text}
  ///
  /// Keys of maps may be anything, and an alias may lead back to what it is a part of.
  ///
  /// @param maxCharacters of the text
  /// @param maxDepth of collections in each other
  /// @param maxAliases that stand for collections
  /// @throws YAMLException with line and column when it cannot be read, or a key stands twice
  public static @Nullable Object read(
      String text, int maxCharacters, int maxDepth, int maxAliases) {
    var options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    options.setMaxAliasesForCollections(maxAliases);
    options.setNestingDepthLimit(maxDepth);
    options.setCodePointLimit(maxCharacters);
    var dumping = new DumperOptions();
    var yaml =
        new Yaml(
            new CoreConstructor(options),
            new Representer(dumping),
            dumping,
            options,
            new CoreResolver());
    try {
      return yaml.load(text);
    } catch (IllegalArgumentException e) {
      // A tag that its text does not bear out, such as `!!int abc`.
      throw new YAMLException("a tag says what its text is not: " + e.getMessage(), e);
    }
  }

  /// {@return YAML in block style, which [#read] reads back as the same, and readers of YAML 1.1
  /// do, too}
  ///
  /// @param document maps, lists, texts, numbers and booleans
  public static String write(Object document) {
    var options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    options.setSplitLines(false);
    return new Yaml(
            new SafeConstructor(new LoaderOptions()),
            new Representer(options),
            options,
            new LoaderOptions(),
            new CarefulResolver())
        .dump(document);
  }

  /// Plain is only what is a text by either version.
  private static final class CarefulResolver extends Resolver {
    @Override
    protected void addImplicitResolvers() {
      super.addImplicitResolvers();
      CoreResolver.addTo(this::addImplicitResolver);
    }
  }

  private interface Rules {
    void add(Tag tag, Pattern pattern, @Nullable String firstCharacters);
  }

  private static final class CoreResolver extends Resolver {
    private static final Pattern BOOL = Pattern.compile("true|True|TRUE|false|False|FALSE");
    private static final Pattern NULL = Pattern.compile("null|Null|NULL|~|");
    private static final Pattern INT = Pattern.compile("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+");
    private static final Pattern FLOAT =
        Pattern.compile(
            "[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?"
                + "|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");
    private static final Pattern MERGE = Pattern.compile("<<");

    @Override
    protected void addImplicitResolvers() {
      addTo(this::addImplicitResolver);
    }

    private static void addTo(Rules rules) {
      rules.add(Tag.BOOL, BOOL, "tTfF");
      rules.add(Tag.INT, INT, "-+0123456789");
      rules.add(Tag.FLOAT, FLOAT, "-+.0123456789");
      rules.add(Tag.MERGE, MERGE, "<");
      rules.add(Tag.NULL, NULL, "nN~\0");
      rules.add(Tag.NULL, NULL, null);
    }
  }

  private static final class CoreConstructor extends SafeConstructor {
    private CoreConstructor(LoaderOptions options) {
      super(options);
      yamlConstructors.put(Tag.INT, new Int());
    }

    /// An int, a long, or what they cannot hold.
    private static final class Int extends AbstractConstruct {
      @Override
      public Object construct(Node node) {
        String text = ((ScalarNode) node).getValue().toLowerCase(Locale.ROOT);
        BigInteger value =
            text.startsWith("0o")
                ? new BigInteger(text.substring(2), 8)
                : text.startsWith("0x")
                    ? new BigInteger(text.substring(2), 16)
                    : new BigInteger(text);
        if (value.bitLength() < Integer.SIZE) {
          return value.intValue();
        }
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
      }
    }
  }
}
