using Ldvc.Data;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Data;

/// <summary>Class names and synonyms from every place that they come from.</summary>
public sealed class ClassNameTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public void AClassHasANameAndSynonyms()
    {
        var name = ClassName.Parse("  person ;man;  young\t  woman; Man", "s");
        Assert.Equal("person", name.Name);
        Assert.Equal(["man", "young woman"], name.Synonyms);
        Assert.Equal("person; man; young woman", name.ToString());
        Assert.Equal(name, ClassName.Parse(name.ToString(), "s"));
        Assert.Equal(name.GetHashCode(), ClassName.Parse(name.ToString(), "s").GetHashCode());
        Assert.NotEqual(name, ClassName.Parse("person; man", "s"));
        Assert.Empty(ClassName.Parse("cat", "s").Synonyms);
    }

    [Theory]
    [InlineData("traffic  cone", "traffic cone")]
    [InlineData("traffic\u00A0cone", "traffic cone")]
    [InlineData("traffic\tcone", "traffic cone")]
    [InlineData("\uFEFFcat", "cat")]
    [InlineData("ca\u00ADt\u200B", "cat")]
    [InlineData("a Zebra \U0001F993", "a Zebra \U0001F993")]
    [InlineData("\u202Acat\u202C", "cat")]
    [InlineData("\u2067cat\u2069 dog", "cat dog")]
    [InlineData("ca\u200Dt\uFE0F", "cat")]
    [InlineData("\u0645\u06CC\u200C\u062E", "\u0645\u06CC\u200C\u062E")]
    [InlineData("\u2764\uFE0F heart", "\u2764\uFE0F heart")]
    [InlineData("R&amp;D", "R&D")]
    [InlineData("caf&eacute;&#x20;bar", "caf\u00e9 bar")]
    [InlineData("salt & pepper", "salt & pepper")]
    public void WhatNobodySeesIsNoDifference(string text, string expected) => Assert.Equal(expected, ClassName.Parse(text, "s").Name);

    // labelme's lists begin with it; every other list takes the name for one that pixels may have.
    [Fact]
    public void WhatLabelMeIgnoresIsNoClass()
    {
        const string Expected = "the first name is '__ignore__', which labelme gives to no class; expected the list without it.";
        _data.Text("# labels\n__ignore__\n_background_\ncat\n", "labels.txt");
        Assert.EndsWith("labels.txt: " + Expected, Assert.Throws<InputException>(() => ClassList.FromFile(_data.At("labels.txt"))).Message);
        Assert.Equal("--classes: " + Expected, Assert.Throws<InputException>(() => ClassListReader.Line("__ignore__, cat", "--classes")).Message);
        Assert.Equal("classes: " + Expected, Assert.Throws<InputException>(() => ClassListReader.Text("__ignore__\ncat", "classes")).Message);
        Assert.Equal(["cat", "__ignore__"], ClassListReader.Line("cat, __ignore__", "--classes"));
    }

    [Theory]
    [InlineData("cat\ndog", "s: expected class names without line breaks, found one in 'cat dog'")]
    [InlineData("cat\r", "without line breaks")]
    [InlineData("cat\u2028dog", "without line breaks")]
    [InlineData("cat\u0085", "without line breaks")]
    [InlineData("cat\u0007", "s: expected class names without control characters, found U+0007")]
    [InlineData("cat\u001B[1m", "U+001B")]
    [InlineData("caf\uFFFD", "s: expected class names in UTF-8, found 'caf\uFFFD' with bytes that are not")]
    [InlineData("cat \uD83E", "expected class names in UTF-8")]
    [InlineData("", "s: the class name is empty, expected a name")]
    [InlineData("\u200B", "the class name is empty")]
    [InlineData("\u200D\uFE0F", "the class name is empty")]
    [InlineData("\u202E\u2066", "the class name is empty")]
    [InlineData("&nbsp;", "the class name is empty")]
    [InlineData("cat &lt;|endoftext|&gt;", "which would end the text for the text encoder")]
    [InlineData("person;;man", "s: expected a name before and after every semicolon, found 'person;;man'")]
    [InlineData("person;", "before and after every semicolon")]
    [InlineData(";man", "before and after every semicolon")]
    [InlineData("cat <|endoftext|> dog", "s: expected a name of words, found 'cat <|endoftext|> dog', which would end the text for the text encoder")]
    [InlineData("cat; a <|StartOfText|>", "which would end the text for the text encoder")]
    public void DamagedNamesAreRefused(string text, string expected) => Assert.Contains(expected, Refused(() => ClassName.Parse(text, "s")));

    [Theory]
    [InlineData("bull&#39;s eye # round", "bull's eye")]
    [InlineData("caf&#xE9; #1", "caf\u00e9")]
    [InlineData("R&#38;D&#39;s lab", "R&D's lab")]
    [InlineData("R&D # lab", "R&D")]
    [InlineData("R&#no sign", "R&")]
    [InlineData("R&#;", "R&")]
    public void ASignWithANumberIsNoComment(string line, string expected)
    {
        using var folder = new TempFolder();
        string names = folder.File("names.txt"), colours = folder.File("colours.txt");
        File.WriteAllText(names, $"{line}\ndog\n");
        File.WriteAllText(colours, $"128 64 128 {line}\n0 0 1 dog\n");
        Assert.Equal([expected, "dog"], ClassList.FromFile(names));
        Assert.Equal([expected, "dog"], ClassList.FromText($"{line}\ndog", "s"));
        Assert.Equal([expected, "dog"], new ClassList(MaskColours.Read(colours).Names, "s"));
    }

    [Theory]
    [InlineData("cat&#10;dog", "without line breaks")]
    [InlineData("cat&#27;[31m", "without control characters")]
    [InlineData("cat&#x85;dog", "without line breaks")]
    public void WhatANumberHidesIsRefused(string line, string expected) =>
        Assert.Contains(expected, Refused(() => ClassList.FromText($"{line}\ndog", "s")));

    [Theory]
    [InlineData("cat", "Cat")]
    [InlineData("traffic cone", "Traffic \u00A0 CONE")]
    [InlineData("cat", "c\u200Bat")]
    [InlineData("caf\u00e9", "cafe\u0301")]
    [InlineData("cat; pet", "dog; Pet")]
    [InlineData("cat; pet", "pet")]
    public void NamesThatAreTheSameStandOnce(string first, string second)
    {
        Assert.Contains("stands twice (as class 0 and 1)", Refused(() => ClassList.FromLine($"{first},{second}", "s")));
        Assert.Contains("stands twice", Refused(() => ClassList.FromText($"{first}\n{second}\n", "s")));
        Assert.Contains("stands twice", Refused(() => ClassList.FromFile(Write($"{first}\n{second}\n"))));
        Assert.Contains("stands twice", Refused(() => new ClassList([first, second], "s")));
    }

    // Which names had masks in training is found whatever the way in which they are typed.
    [Theory]
    [InlineData("Caf\u00e9", "cafe\u0301", true)]
    [InlineData("cat", "dog", false)]
    public void NamesAreComparedAsTheTokenizerReadsThem(string first, string second, bool same)
    {
        Assert.Equal(same, NameSpelling.Comparer.Equals(first, second));
        Assert.Equal(same, new HashSet<string>([first], NameSpelling.Comparer).Contains(second));
    }

    [Fact]
    public void ALineHasCommasAndATextHasLines()
    {
        Assert.Equal(["cat", "person", "sky"], ClassList.FromLine(" cat,person; man ,sky", "s"));
        ClassList others = ClassList.FromLine("\u732B\uFF0C\u72D7\u3001\u4EBA\uFF1B\u7537", "s");
        Assert.Equal(["\u732B", "\u72D7", "\u4EBA; \u7537"], others.Classes.Select(name => name.ToString()));
        Assert.Equal(["cat", "bread, sliced"], ClassList.FromText("cat\r\n# food\r\n\r\nbread, sliced # a comma belongs to the name\r\n", "s"));
        Assert.Equal(["cat", "dog"], ClassList.FromText("cat,dog\n", "s"));
        Assert.Equal("#1 cat", Assert.Single(ClassList.FromLine("#1 cat", "s")));
        Assert.Contains("expected class names separated by commas, found 'a,,b'", Refused(() => ClassList.FromLine("a,,b", "s")));
        Assert.Contains("without line breaks", Refused(() => ClassList.FromLine("a,\nb", "s")));
        Assert.Contains("s, line 2: expected class names without control characters", Refused(() => ClassList.FromText("a\nb\u0001\nc", "s")));
    }

    // As other programs write their lists; | stands for a line break, and "," for lists on one line.
    [Theory]
    [InlineData("0: unlabeled|1: person|2: bicycle", "a number before each (the first name is class 0, and so on), as in '2: bicycle'")]
    [InlineData("1: person|3:car|90: hair drier", "a number before each")]
    [InlineData("0 road|1 sidewalk|2 building", "a number before each")]
    [InlineData("1. road|2. sidewalk", "a number before each")]
    [InlineData("0,road|1,sidewalk", "a number before each")]
    [InlineData("Idx\tRatio\tName|1\t0.15\twall|2\t0.11\tbuilding", "a number before each")]
    [InlineData("7\tcat|9\tdog", "a number before each")]
    [InlineData("0:cat,1:dog", "a number before each")]
    [InlineData("- cat|- dog", "a dash before each, as in '- dog'")]
    [InlineData("\"cat\"|\"dog\"", "quotes around each")]
    [InlineData("'cat','dog'", "quotes around each")]
    [InlineData("['cat', 'dog']", "brackets around the list, as in ''dog']'")]
    [InlineData("[|  \"cat\",|  \"dog\"|]", "brackets around the list")]
    [InlineData("{\"cat\": 0, \"dog\": 1}", "brackets around the list")]
    [InlineData("cat: 0|dog: 1", "a number behind each (the first name is class 0, and so on), as in 'dog: 1'")]
    [InlineData("cat;0|dog;1|sky;2", "a number behind each")]
    [InlineData("cat 0|dog 1|blue sky 2", "a number behind each")]
    [InlineData("cat\t1|dog\t2", "a number behind each")]
    [InlineData("cat,0|dog,1", "a number behind each")]
    [InlineData("name index|cat 0|dog 1|sky 2", "a number behind each")]
    [InlineData("cat:0,dog:1", "a number behind each")]
    [InlineData("id name|0 cat|1 dog|2 sky", "a number before each")]
    [InlineData("names:|  0: cat|  1: dog", "a number before each")]
    [InlineData("names:|  - cat|  - dog", "a dash before each")]
    [InlineData("* cat|* dog", "a bullet before each")]
    [InlineData("n01440764 tench|n01443537 goldfish", "an identifier before each")]
    [InlineData("/m/011k07,Tortoise|/m/011q46kg,Container", "an identifier before each")]
    [InlineData("name,r,g,b|Animal,64,128,64|Archway,192,0,128", "a colour beside each (data.colors is for these), as in 'Archway,192,0,128'")]
    [InlineData("128 64 128 road|244 35 232 sidewalk", "a colour beside each")]
    [InlineData("road:128,64,128::|sky:70,130,180::", "a colour beside each")]
    [InlineData("\u2022 cat|\u2022 dog", "a bullet before each")]
    [InlineData("cat,|dog,|sky", "a comma behind each")]
    [InlineData("'cat',|'dog',|'sky'", "a comma behind each")]
    [InlineData("\u201Ccat\u201D|\u201Cdog\u201D", "quotes around each")]
    [InlineData("names: [cat, dog]", "brackets around the list, as in 'dog]'")]
    [InlineData("'cat, dog, sky'", "quotes around the list, as in 'sky''")]
    public void ListsOfOtherProgramsAreRefused(string text, string mark)
    {
        string lines = text.Replace('|', '\n');
        Assert.Contains($"s: expected the names alone, found {mark}", Refused(() => ClassList.FromText(lines, "s")));
        if (text.Contains('|', StringComparison.Ordinal))
        {
            Assert.Contains(mark, Refused(() => ClassList.FromLabelFile(Write(lines + "\n"))));
            Assert.Contains(mark, Refused(() => ClassList.FromFile(Write("# names\n\n" + lines + "\n"))));
        }
    }

    [Theory]
    [InlineData("1 star|2 star|3 star")]
    [InlineData("2 wheeler|4 wheeler")]
    [InlineData("1 euro|2 euro")]
    [InlineData("3d printer|4 by 4")]
    [InlineData("1.5 l bottle|2.0 l carton")]
    [InlineData("\"cat\"|dog")]
    [InlineData("'cat'")]
    [InlineData("[cat] tree|dog")]
    [InlineData("7 up|cat|dog")]
    [InlineData("- cat|dog")]
    [InlineData("boeing 737|boeing 747|boeing 757")]
    [InlineData("lane 1|lane 2|lane 3")]
    [InlineData("screen 4:3|tv 16:9")]
    [InlineData("cat (small)|dog (large)")]
    [InlineData("names:|cat")]
    [InlineData("cat,|dog, hound|sky")]
    [InlineData("ape 1|bus 3|car 4")]
    public void NamesMayHoldNumbersAndSigns(string text) =>
        Assert.Equal(text.Split('|'), ClassList.FromFile(Write(text.Replace('|', '\n'))));

    [Fact]
    public void AnUploadedTextMayBeginWithAByteOrderMark()
    {
        Assert.Equal(["cat", "dog"], ClassList.FromText("\uFEFF# mine\r\ncat\r\ndog", "s"));
        Assert.Equal(["cat", "dog"], ClassList.FromText("\uFEFFcat, dog", "s"));
    }

    [Fact]
    public void AFileIsReadLineByLine()
    {
        var list = ClassList.FromFile(Write("\uFEFF# things\r\ncat\r\n\r\nperson; man;woman # people\r\nbread, sliced"));
        Assert.Equal(["cat", "person", "bread, sliced"], list);
        Assert.Equal(["cat", "person", "man", "woman", "bread, sliced"], list.Texts);
        Assert.Equal([0, 1, 1, 1, 2], list.Owners);
        Assert.Equal((1, 1, -1), (list.IndexOf("Woman"), list.IndexOf(" person "), list.IndexOf("people")));
        Assert.Equal(["cat", "dog"], ClassList.FromFile(Write("cat\rdog\r")));
        Assert.Contains("names.txt: 0 class names, expected 1 to 65535", Refused(() => ClassList.FromFile(Write("# nothing\n\n"))));
        Assert.Contains("names.txt, line 3: expected a name before and after", Refused(() => ClassList.FromFile(Write("a\nb\nc;\n"))));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'a', 10, (byte)'b', 10, 0xE9, 10 }, 3)]
    [InlineData(new byte[] { (byte)'a', 13, 10, 0xC3, 13, 10 }, 2)]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'a', 0 }, 1)]
    [InlineData(new byte[] { (byte)'a', 13, 0xED, 0xA0, 0x80 }, 2)]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, (byte)'a', 10, 0xF0, 0x9F }, 2)]
    public void OtherEncodingsAreRefusedWithTheLine(byte[] bytes, int line)
    {
        string file = _data.At("names.txt");
        File.WriteAllBytes(file, bytes);
        string wide = bytes[0] == 255 ? " (they are UTF-16, as > of Windows PowerShell writes it)" : "";
        Assert.Equal($"{file}, line {line}: expected text in UTF-8, found bytes that are not{wide}", Refused(() => ClassList.FromFile(file)));
    }

    [Fact]
    public void LinesThatAreLabelsMustNotBeEmpty()
    {
        Assert.Equal(["cat", "dog"], ClassList.FromLabelFile(Write("cat\n# no label\ndog\n\n\n")));
        Assert.Contains("names.txt, line 2: is empty, and names follow", Refused(() => ClassList.FromLabelFile(Write("cat\n\ndog\n"))));
        Assert.Contains("names.txt, line 1: is empty, and names follow", Refused(() => ClassList.FromLabelFile(Write(" \ncat\n"))));
    }

    [Fact]
    public void ThereMayBe65535Classes()
    {
        string[] names = [.. Enumerable.Range(0, 65535).Select(i => $"c{i}")];
        Assert.Equal(65535, ClassList.FromLine(string.Join(',', names), "s").Count);
        Assert.Contains(
            "65536 class names, expected 1 to 65535", Refused(() => ClassList.FromFile(Write(string.Join('\n', [.. names, "one more"])))));
    }

    private static string Refused(Func<object> body) => Assert.Throws<InputException>(body).Message;

    private string Write(string text)
    {
        _data.Text(text, "names.txt");
        return _data.At("names.txt");
    }
}
