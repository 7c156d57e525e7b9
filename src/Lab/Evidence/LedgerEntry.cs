using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Ldvc.Lab.Evidence;

/// <summary>What measured the numbers of an entry.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LedgerKind>))]
internal enum LedgerKind
{
    /// <summary>`ldvc ablate`.</summary>
    [JsonStringEnumMemberName("ablate")]
    Ablate,

    /// <summary>`ldvc demo`.</summary>
    [JsonStringEnumMemberName("demo")]
    Demo,

    /// <summary>`ldvc eval`.</summary>
    [JsonStringEnumMemberName("eval")]
    Eval,

    /// <summary>`bench peers`.</summary>
    [JsonStringEnumMemberName("peers")]
    Peers,
}

/// <summary>
/// One file of the ledger: numbers with everything that it takes to measure them again. Scores are shares of 1 by name
/// (<see cref="LedgerScores"/>), times in seconds.
/// </summary>
internal sealed record LedgerEntry
{
    /// <summary>What measured it.</summary>
    public required LedgerKind Kind { get; init; }

    /// <summary>The command line, without the options that say where results go.</summary>
    public required string Command { get; init; }

    /// <summary>The day it was recorded, as 2026-11-29.</summary>
    public required string Recorded { get; init; }

    /// <summary>The program that recorded it, and the machine.</summary>
    public required Origin Program { get; init; }

    /// <summary>
    /// The programs that measured the runs, each once, where those are not the one above; what trained them is not known where this is empty and
    /// <see cref="CheckedSteps"/> is not 0.
    /// </summary>
    public Origin[] MeasuredBy { get; init; } = [];

    /// <summary>The programs that measured the runs.</summary>
    [JsonIgnore]
    internal Origin[] Origins => MeasuredBy.Length > 0 ? MeasuredBy : [Program];

    /// <summary>
    /// First steps of a run of each row that were trained again when it was recorded, and gave the same loss to the last bit; 0 where the runs say
    /// themselves what trained them.
    /// </summary>
    public int CheckedSteps { get; init; }

    /// <summary>The device.</summary>
    public required string Device { get; init; }

    /// <summary>Precision of products.</summary>
    public required string Precision { get; init; }

    /// <summary>CPU threads, all runs together.</summary>
    public required int Threads { get; init; }

    /// <summary>Seeds of the trainings; empty where nothing was trained.</summary>
    public long[] Seeds { get; init; } = [];

    /// <summary>Wall-clock seconds; of `ldvc ablate` those of all trainings, one after the other.</summary>
    public double Seconds { get; init; }

    /// <summary>Pictures that were scored.</summary>
    public int Pictures { get; init; }

    /// <summary>Every option of the configuration; null where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonObject? Configuration { get; init; }

    /// <summary>What was compared, in the order of the tables.</summary>
    public LedgerRow[] Rows { get; init; } = [];

    /// <summary>Times against other libraries.</summary>
    public LedgerTiming[] Timings { get; init; } = [];
}

/// <summary>One row of a comparison.</summary>
/// <param name="Key">"zegclip".</param>
/// <param name="Title">"ZegCLIP".</param>
/// <param name="Trained">Whether its runs differ by seed; the CLIP alone has one run and no seed.</param>
/// <param name="Runs">Its runs, by split and seed.</param>
internal sealed record LedgerRow(string Key, string Title, bool Trained, LedgerRun[] Runs);

/// <summary>One training, or one model that was scored.</summary>
internal sealed record LedgerRun
{
    /// <summary>Seed of the training.</summary>
    public long Seed { get; init; }

    /// <summary>Name of the split of the classes; null for the configuration's own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Split { get; init; }

    /// <summary>Optimiser steps.</summary>
    public long Steps { get; init; }

    /// <summary>Seconds of the training; 0 where there was none.</summary>
    public double TrainSeconds { get; init; }

    /// <summary>Scores by name.</summary>
    public required SortedDictionary<string, double> Scores { get; init; }

    /// <summary>95 % intervals over pictures, low and high, by name; null where they were not computed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SortedDictionary<string, double[]>? Intervals { get; init; }

    /// <summary>Scores on the way; null where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LedgerPoint[]? Curve { get; init; }
}

/// <summary>Scores of a run after some of its steps.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Scores">Scores by name.</param>
internal sealed record LedgerPoint(long Step, SortedDictionary<string, double> Scores);

/// <summary>One engine's time in one piece of work.</summary>
/// <param name="Case">The work.</param>
/// <param name="Engine">Who did it.</param>
/// <param name="Version">Which one.</param>
/// <param name="MedianSeconds">Median of all turns.</param>
/// <param name="LowSeconds">Smallest median of a round.</param>
/// <param name="HighSeconds">Largest median of a round.</param>
/// <param name="PeakMebibytes">Memory while running.</param>
/// <param name="AddedMebibytes">The same without weights, inputs and the runtime.</param>
/// <param name="OursToThis">Our time divided by this engine's, median over rounds.</param>
/// <param name="Error">Largest relative difference from our outputs.</param>
internal sealed record LedgerTiming(
    string Case,
    string Engine,
    string Version,
    double MedianSeconds,
    double LowSeconds,
    double HighSeconds,
    double PeakMebibytes,
    double AddedMebibytes,
    double OursToThis, double Error);
