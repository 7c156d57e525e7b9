namespace Ldvc.App.Web;

/// <summary>What `ldvc serve` grants at most. The command line sets the first four; the rest holds for every server, and tests shorten it.</summary>
internal sealed record ServerLimits
{
    /// <summary>Bytes of a request at most.</summary>
    internal const int MaxBytes = 64 << 20;

    /// <summary>The largest <see cref="MaxNames"/> that can be asked for: as many classes as labels of 16 bits can tell apart.</summary>
    internal const int MaxTexts = ushort.MaxValue;

    /// <summary>The largest <see cref="MaxWaiting"/> that can be asked for.</summary>
    internal const int MaxPlaces = 10_000;

    /// <summary>Pixels of a picture at most, by its header; 4096 x 4096 is 16 megapixels.</summary>
    internal long MaxPixels { get; init; } = 1 << 24;

    /// <summary>Names and synonyms of a request at most: each is encoded, and its scores are kept for every window.</summary>
    internal int MaxNames { get; init; } = 1000;

    /// <summary>Pictures that wait at most.</summary>
    internal int MaxWaiting { get; init; } = 64;

    /// <summary>Connections of one address at most.</summary>
    internal int MaxOfAddress { get; init; } = 128;

    /// <summary>Connections of all addresses at most.</summary>
    internal int MaxConnections { get; init; } = 512;

    /// <summary>Bytes of uploads and answers that are held at most, over all requests.</summary>
    internal long MaxHeld { get; init; } = 512L << 20;

    /// <summary>From a request's first byte to the end of its headers.</summary>
    internal TimeSpan HeaderDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may wait for a request.</summary>
    internal TimeSpan IdleDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From the headers to the last byte of a body.</summary>
    internal TimeSpan BodyDeadline { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How long a client may take to read an answer.</summary>
    internal TimeSpan AnswerDeadline { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Bytes a second that a body or the reading of an answer must reach, after <see cref="RateGrace"/>.</summary>
    internal double MinRate { get; init; } = 1024;

    /// <summary>How long a body may be slower than that.</summary>
    internal TimeSpan RateGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long requests in progress may go on once the program is told to end; orchestrators kill after 30 s.</summary>
    internal TimeSpan DrainDeadline { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Without a picture for so long, memory goes back to the system.</summary>
    internal TimeSpan RestAfter { get; init; } = TimeSpan.FromSeconds(10);
}
