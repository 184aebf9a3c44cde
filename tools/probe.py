from pcdet_kd.cli.probe import main

if __name__ == '__main__':
    raise SystemExit(main())
